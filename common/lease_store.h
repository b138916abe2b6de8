/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durable leases: who holds what on this host, until when, and how to give it back. SQLite. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "common/fault.h"

/*
 * Theory of operation. A lease is written, and on disk, before its first side effect. It holds
 * assets: (kind, key) pairs that are unique among all leases, which is what makes a reservation
 * exclusive. Deadlines count CLOCK_BOOTTIME; a lease of an earlier boot counts as expired (whether
 * it may be undone is for its owner to find out, not for the clock alone). Generations never
 * repeat: every new lease gets one larger than all before, and every call on a lease must present
 * it. All functions block on disk; none may be called on the main loop; all are thread-safe.
 * Errors are FAULT_STORE_FAILED where nothing else is said.
 */
typedef struct LeaseStore LeaseStore;

typedef struct {
    char *kind;     /* e.g. "function", "target" */
    char *key;      /* e.g. "0000:01:10.2", "/var/lib/libvirt/images/a.qcow2" */
    char *state;    /* the owner's word for how far it is; never NULL */
    json_t *detail; /* what undo needs: object, owned */
} LeaseAsset;

typedef struct {
    char *id; /* UUID */
    guint64 generation;
    char *kind;              /* e.g. "reservation", "detachment", "targets" */
    char *owner;             /* who asked */
    char *token;             /* the caller's key for idempotent retry */
    char *guest_name;
    char *guest_uuid;
    char *state;             /* the daemon's word; starts as given to create */
    char *reason;            /* why it is in this state; "" if nothing to say */
    gint64 created_usec;     /* wall clock, for display only */
    gint64 remaining_usec;   /* until the deadline, <= 0 when expired; as of the reading */
    json_t *request;         /* what was asked, for comparing retries: object, owned */
    GPtrArray *assets;       /* of LeaseAsset *, owned */
} Lease;

LeaseAsset *lease_asset_new(const char *kind, const char *key, const char *state, json_t *detail);
void lease_asset_free(LeaseAsset *asset);
void lease_free(Lease *lease);
Lease *lease_copy(const Lease *lease);
/* The asset with this kind and key, or NULL. Borrowed. */
LeaseAsset *lease_find_asset(const Lease *lease, const char *kind, const char *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeaseAsset, lease_asset_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lease, lease_free)

/* Opens or creates the database (WAL, synchronous=FULL, directory 0700). ":memory:" for tests. */
LeaseStore *lease_store_open(const char *path, GError **error);
void lease_store_free(LeaseStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeaseStore, lease_store_free)

/*
 * Creates a lease with all @assets or none. @draft supplies kind, owner, token, guest, state,
 * request and assets (its other members are ignored). If a lease with the same kind, owner and
 * token exists: it is returned with *ret_existing TRUE when its request is equal, else
 * FAULT_LEASE_CONFLICT. FAULT_FUNCTION_BUSY / FAULT_TARGET_EXISTS (by @busy_code) naming the asset
 * and its holder if one is held; FAULT_LIMIT_EXCEEDED beyond LIMIT_LEASES.
 */
Lease *lease_store_create(LeaseStore *store, const Lease *draft, unsigned timeout_seconds,
                          FaultCode busy_code, gboolean *ret_existing, GError **error);

/* FAULT_LEASE_NOT_FOUND or FAULT_STALE_GENERATION (skipped if @generation is 0). */
Lease *lease_store_get(LeaseStore *store, const char *id, guint64 generation, GError **error);
/* All leases, oldest first: GPtrArray of Lease * with a free function. */
GPtrArray *lease_store_list(LeaseStore *store, GError **error);
gboolean lease_store_renew(LeaseStore *store, const char *id, guint64 generation,
                           unsigned timeout_seconds, GError **error);
gboolean lease_store_set_state(LeaseStore *store, const char *id, const char *state,
                               const char *reason, GError **error);
/* Adds or replaces one asset. Same uniqueness as create. */
gboolean lease_store_put_asset(LeaseStore *store, const char *id, const LeaseAsset *asset,
                               FaultCode busy_code, GError **error);
gboolean lease_store_drop_asset(LeaseStore *store, const char *id, const char *kind,
                                const char *key, GError **error);
/* Removes the lease and its assets: everything it held is given back or belongs to its guest. */
gboolean lease_store_remove(LeaseStore *store, const char *id, GError **error);
