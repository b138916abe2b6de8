/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases of shares: made, renewed, committed, restored, and taken away when nobody uses them. */
#pragma once

#include "storprep/share_request.h"

/*
 * Theory of operation. lease_book.h has the life of a lease. What is "ready" within its deadline,
 * or "committed", is needed: if it vanishes (a reboot, a restart of the NFS server) it is made
 * again. What is needed no longer goes once nobody uses it; it is never torn from a user. What was
 * there before is used as it is and left as it is. A thread has every lease looked at, each in a
 * thread of its own, at the start and every few seconds.
 */
typedef struct ShareLeases ShareLeases;

/* All of *@host is borrowed. Starts the thread. */
ShareLeases *share_leases_new(const ShareHost *host);
/* Stops the thread and waits for it. */
void share_leases_free(ShareLeases *leases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ShareLeases, share_leases_free)

/*
 * Makes all that @request plans, or none. The same owner, token and request again give the lease
 * there is. All functions below block and return a copy. FAULT_LEASE_CONFLICT, FAULT_LEASE_BUSY,
 * FAULT_STORE_FAILED, what the kinds say, and FAULT_ROLLBACK_INCOMPLETE when not everything could
 * be taken away again: that is tried again.
 */
Lease *share_leases_create(ShareLeases *leases, const ShareRequest *request, GError **error);
/* FAULT_LEASE_NOT_FOUND, FAULT_STALE_GENERATION, FAULT_LEASE_BUSY (it is going). A committed lease
 * stays committed. */
Lease *share_leases_renew(ShareLeases *leases, const char *id, guint64 generation,
                          unsigned timeout_seconds, GError **error);
/* From now on it is needed until it is released. Errors as above. */
Lease *share_leases_commit(ShareLeases *leases, const char *id, guint64 generation, GError **error);
/* Ends the lease; *ret_kept tells whether all of it was there before and stays. FAULT_SHARE_BUSY
 * while it is used: then nothing changed. FAULT_ROLLBACK_INCOMPLETE. */
gboolean share_leases_release(ShareLeases *leases, const char *id, guint64 generation,
                              gboolean *ret_kept, GError **error);
/*
 * Ends all leases of @kind ("export", "mount") about the directory @place, which must all be
 * @owner's. FAULT_LEASE_NOT_FOUND, FAULT_SHARE_BUSY if others need it or somebody uses it: then all
 * are left as they are; else as release.
 */
gboolean share_leases_end(ShareLeases *leases, const char *kind, const char *owner,
                          const char *place, gboolean *ret_kept, GError **error);
/* Has every lease looked at, as the thread does, and waits for that. */
void share_leases_reconcile(ShareLeases *leases);
/* Whether leases of @kind are these. */
gboolean share_lease_has_kind(const char *kind);
