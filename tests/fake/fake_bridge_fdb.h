/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of forwarding entries in memory, whose N-th call fails on demand. */
#pragma once

#include "fake/fake_gate.h"
#include "netprep/bridge_fdb.h"

typedef struct FakeBridgeFdb FakeBridgeFdb;

/* The BridgeFdb owns the fake: free it by bridge_fdb_free(fake_bridge_fdb_get(fake)). */
FakeBridgeFdb *fake_bridge_fdb_new(void);
BridgeFdb *fake_bridge_fdb_get(FakeBridgeFdb *fake); /* borrowed */
/* Another handle to the same table, whose calls pass @gate. Must be freed before the fake. */
BridgeFdb *fake_bridge_fdb_open(FakeBridgeFdb *fake, FakeGate gate, void *data);

/* Puts an entry into the table, as somebody else would. */
void fake_bridge_fdb_put(FakeBridgeFdb *fake, const char *port, const FdbEntry *entry);
/* How many entries @port has for @mac ("52:54:00:aa:00:01"): its own, or those of the bridge. */
unsigned fake_bridge_fdb_count(FakeBridgeFdb *fake, const char *port, const char *mac,
                               gboolean self);
/* The @call-th call from now on, of whichever operation, and all after it fail with @status. 0:
 * works again. */
void fake_bridge_fdb_fail_from(FakeBridgeFdb *fake, unsigned call, int status);
