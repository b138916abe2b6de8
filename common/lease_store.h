/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durable leases: who holds what on this host, until when, and how to give it back. SQLite. */
#pragma once

#include <glib.h>

#include "common/fault.h"
#include "common/lease.h"

/*
 * Theory of operation. A lease is written, and on disk, before its first side effect. It holds
 * assets: (kind, key) pairs that are unique among all leases, which is what makes a reservation
 * exclusive. Deadlines count CLOCK_BOOTTIME; a lease of an earlier boot counts as expired (whether
 * it may be undone is for its owner to find out, not for the clock alone). Generations never
 * repeat: every new lease gets one larger than all before, and every call on a lease must present
 * it. All functions block on disk and must not be called on the main loop, but for
 * lease_store_recall(); all are thread-safe.
 * Errors are FAULT_STORE_FAILED where nothing else is said.
 */
typedef struct LeaseStore LeaseStore;

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
/*
 * All leases, oldest first: GPtrArray of Lease * with a free function. One whose record is damaged
 * is left out, since nothing can be undone from half a record, and logged once; the others stay
 * usable, what it holds stays held, and lease_store_remove() ends it.
 */
GPtrArray *lease_store_list(LeaseStore *store, GError **error);
/* What that found last, if they are few and nothing was written since; else NULL. Does not block:
 * for the main loop, too. */
GPtrArray *lease_store_recall(LeaseStore *store);
/* What is held, also by leases whose record is damaged: the keys of all assets of @kind, each with
 * the id of its lease. */
GHashTable *lease_store_held(LeaseStore *store, const char *kind, GError **error);
gboolean lease_store_renew(LeaseStore *store, const char *id, guint64 generation,
                           unsigned timeout_seconds, GError **error);
gboolean lease_store_set_state(LeaseStore *store, const char *id, const char *state,
                               const char *reason, GError **error);
/* Adds or replaces one asset. Same uniqueness as create. */
gboolean lease_store_put_asset(LeaseStore *store, const char *id, const LeaseAsset *asset,
                               FaultCode busy_code, GError **error);
/* Sets the state of @lease once all of it is made, adds or replaces all its assets as @lease has
 * them, and begins its time anew, in one step: it has as long again as it had left when @lease was
 * read, however long the making took. */
gboolean lease_store_settle(LeaseStore *store, const Lease *lease, const char *state,
                            FaultCode busy_code, GError **error);
/* Several at once (GPtrArray of LeaseAsset *), or none. */
gboolean lease_store_put_assets(LeaseStore *store, const char *id, const GPtrArray *assets,
                                FaultCode busy_code, GError **error);
/* Puts @successor in the place of @old, in one step. FAULT_LEASE_NOT_FOUND if the lease does not
 * hold @old; @successor's uniqueness as in create. */
gboolean lease_store_replace_asset(LeaseStore *store, const char *id, const LeaseAsset *old,
                                   const LeaseAsset *successor, FaultCode busy_code,
                                   GError **error);
gboolean lease_store_drop_asset(LeaseStore *store, const char *id, const char *kind,
                                const char *key, GError **error);
/* Removes the lease and its assets: everything it held is given back or belongs to its guest. */
gboolean lease_store_remove(LeaseStore *store, const char *id, GError **error);
