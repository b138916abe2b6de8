/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forwarding entries for a MAC address: a network card's own filter, and what a bridge learned. */
#pragma once

#include <glib.h>

#include "common/fault.h"

/* One entry of a device that is a bridge's port. */
typedef struct {
    guint8 mac[6];
    guint16 vlan;     /* 0: none */
    gboolean self;    /* the card's own filter, else the bridge's table */
    gboolean learned; /* by the bridge, from a frame that came in; else set by somebody */
} FdbEntry;

/* Host access: the real one is rtnetlink; tests have a fake. All block. */
typedef struct {
    /* All entries of @port: its own and, if it is a bridge's port, those of the bridge for it.
     * Array of FdbEntry in *ret_entries; 0 or a negative errno (-ENODEV: no such device). */
    int (*list)(void *self, const char *port, GArray **ret_entries);
    /* Adds an entry of @port's own; -EEXIST if it is there. */
    int (*add)(void *self, const char *port, const guint8 *mac);
    /* -ENOENT if it is not there. */
    int (*remove)(void *self, const char *port, const FdbEntry *entry);
    void (*free)(void *self);
} FdbOps;

typedef struct BridgeFdb BridgeFdb;

/* Takes @self over. */
BridgeFdb *bridge_fdb_new(const FdbOps *ops, void *self);
/* The real one. Needs CAP_NET_ADMIN. Keeps nothing open. */
BridgeFdb *bridge_fdb_new_netlink(void);
void bridge_fdb_free(BridgeFdb *fdb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BridgeFdb, bridge_fdb_free)

/* All of the following take a MAC of 6 bytes, block on netlink, are thread-safe, and fail with
 * FAULT_INTERNAL naming the device. Repeats do nothing. */

/* Whether the card @port has a filter of its own for @mac. */
gboolean bridge_fdb_accepts(BridgeFdb *fdb, const char *port, const guint8 *mac,
                            gboolean *ret_accepts, GError **error);

/*
 * Lets the card @port hand frames for @mac to the host: `bridge fdb add MAC dev PORT` of the
 * kernel's net_failover document. Without it a NIC's internal switch may send them nowhere when
 * they come from its own VFs. *ret_added: there was none, so that removing it again is up to the
 * caller.
 */
gboolean bridge_fdb_accept(BridgeFdb *fdb, const char *port, const guint8 *mac, gboolean *ret_added,
                           GError **error);
/* The undo. That it, or the device, is gone is fine. */
gboolean bridge_fdb_refuse(BridgeFdb *fdb, const char *port, const guint8 *mac, GError **error);

/* Makes the bridge forget that it learned @mac on @port, in all VLANs: else it sends frames there
 * until they come in by another port. What somebody set stays. *ret_count: how many; may be NULL.
 */
gboolean bridge_fdb_forget(BridgeFdb *fdb, const char *port, const guint8 *mac, unsigned *ret_count,
                           GError **error);
