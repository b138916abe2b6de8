/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was last read of a lease database, for as long as nobody writes to it. */
#pragma once

#include "common/lease.h"

/*
 * Theory of operation. Who has the database to read keeps what is in it; who gets it to write has
 * that forgotten before anything else. As the database has either readers or writers, what is known
 * is what is on disk, and whoever is told that their change is made never hears of what was before
 * it. Thread-safe; nothing here waits for a disk.
 */
typedef struct LeaseMemory LeaseMemory;

/* Knows nothing. */
LeaseMemory *lease_memory_new(void);
void lease_memory_free(LeaseMemory *memory);

/* Copies @leases, all that there are, unless they are more than LIMIT_BRIEF_ENTRIES or known. */
void lease_memory_keep(LeaseMemory *memory, const GPtrArray *leases);
void lease_memory_forget(LeaseMemory *memory);
/* A copy with what remains of each by now (GPtrArray of Lease *, with a free function); NULL: it is
 * not known. */
GPtrArray *lease_memory_recall(LeaseMemory *memory);
