/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the order of record, deed and end of a lease, and who may work on it. */
#include "storprep/lease_book.h"

#define CLAIM_USEC (120 * G_USEC_PER_SEC) /* for a call: a mount takes its time */

void
lease_book_init(LeaseBook *book, LeaseStore *store, const LeaseWork *work, void *data)
{
    book->store = store;
    book->work = work;
    book->data = data;
    lease_claims_init(&book->claims);
    g_mutex_init(&book->admission);
}

void
lease_book_clear(LeaseBook *book)
{
    lease_claims_clear(&book->claims);
    g_mutex_clear(&book->admission);
}

gboolean
lease_book_is_valid(const Lease *lease)
{
    return g_str_equal(lease->state, LEASE_READY) || g_str_equal(lease->state, LEASE_COMMITTED);
}

/* Ending. */

/* Keeps the lease for another try. */
static void
degrade(LeaseBook *book, const Lease *lease, GError **error)
{
    g_autoptr(GError) cause = g_steal_pointer(error);
    g_autoptr(GError) store_error = NULL;
    g_autofree char *object = g_strdup_printf("lease '%s'", lease->id);

    if (!g_str_equal(lease->state, LEASE_DEGRADED) || !g_str_equal(lease->reason, cause->message))
        g_warning("cannot take away what %s lease %s made: %s", lease->kind, lease->id,
                  cause->message);
    if (!lease_store_set_state(book->store, lease->id, LEASE_DEGRADED, cause->message,
                               &store_error))
        g_warning("cannot record that: %s", store_error->message);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, object, fault_remedy(cause),
              "not all that it made could be taken away; that is tried again: %s", cause->message);
}

gboolean
lease_book_end(LeaseBook *book, const Lease *lease, gboolean keep, GError **error)
{
    GError *cause = NULL;

    if (!keep && !g_str_equal(lease->state, LEASE_DEGRADED) &&
        !lease_store_set_state(book->store, lease->id, LEASE_REMOVING, "", error))
        return FALSE;
    if (!book->work->undo(book->data, lease, keep, &cause)) {
        degrade(book, lease, &cause);
        g_propagate_error(error, cause);
        return FALSE;
    }
    if (!lease_store_remove(book->store, lease->id, error))
        return FALSE;
    g_info("%s lease %s of '%s' ended%s", lease->kind, lease->id, lease->owner,
           keep ? ": its files are the guest's" : "");
    return TRUE;
}

void
lease_book_note(LeaseBook *book, const Lease *lease, const char *reason)
{
    if (g_str_equal(lease->reason, reason))
        return;
    if (*reason)
        g_message("%s lease %s: %s", lease->kind, lease->id, reason);
    lease_store_set_state(book->store, lease->id, lease->state, reason, NULL);
}

/* Creating. */

/* Under the lock of the claims, so that nobody sees the record unclaimed. */
static Lease *
record(LeaseBook *book, const Lease *draft, unsigned timeout_seconds, LeaseClaim *claim,
       gboolean *ret_existing, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&book->claims.lock);
    Lease *lease = lease_store_create(book->store, draft, timeout_seconds, book->work->busy_code,
                                      ret_existing, error);

    if (lease && !*ret_existing)
        lease_claim_set(&book->claims, lease->id, claim);
    return lease;
}

/* No two are checked at once; calls on other leases do not wait for that. */
static Lease *
admit(LeaseBook *book, const Lease *draft, unsigned timeout_seconds, LeaseClaim *claim,
      gboolean *ret_existing, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&book->admission);
    g_autoptr(Lease) lease = record(book, draft, timeout_seconds, claim, ret_existing, error);

    if (!lease || *ret_existing || book->work->check(book->data, lease, error))
        return g_steal_pointer(&lease);
    lease_store_remove(book->store, lease->id, NULL);
    return NULL;
}

/* A repeated request: waits for the first one's end. It claims nothing, so that clients who ask
 * again and again keep nobody from cleaning up. */
static Lease *
await(LeaseBook *book, const char *id, GError **error)
{
    g_autoptr(Lease) lease = NULL;

    if (!lease_claim_await(&book->claims, id, CLAIM_USEC, error))
        return NULL;
    lease = lease_store_get(book->store, id, 0, NULL);
    if (lease && lease_book_is_valid(lease))
        return g_steal_pointer(&lease);
    lease_claim_busy(error, id, "an earlier request with this token failed and is being undone");
    return NULL;
}

/* After a failed creation: *error becomes the one for the caller. */
static void
undo_creation(LeaseBook *book, const char *id, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(book->store, id, 0, NULL);
    g_autoptr(GError) undo_error = NULL;
    g_autoptr(GError) cause = NULL;

    if (lease && lease_book_end(book, lease, FALSE, &undo_error))
        return;
    cause = g_steal_pointer(error);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, fault_object(cause), fault_remedy(cause),
              "%s; then: %s", fault_cause(cause),
              undo_error ? undo_error->message : "the lease cannot be read");
}

Lease *
lease_book_create(LeaseBook *book, const Lease *draft, unsigned timeout_seconds, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = NULL;
    gboolean existing = FALSE;
    GError *cause = NULL;

    lease = admit(book, draft, timeout_seconds, &claim, &existing, error);
    if (!lease)
        return NULL;
    if (existing)
        return await(book, lease->id, error);
    if (book->work->make(book->data, lease, &cause))
        return lease_store_get(book->store, lease->id, 0, error);
    undo_creation(book, lease->id, &cause);
    g_propagate_error(error, cause);
    return NULL;
}

/* Calls on a lease. */

Lease *
lease_book_take(LeaseBook *book, const char *id, guint64 generation, LeaseClaim *claim,
                GError **error)
{
    if (!lease_claim_take(&book->claims, id, CLAIM_USEC, claim, error))
        return NULL;
    return lease_store_get(book->store, id, generation, error);
}

static Lease *
take_valid(LeaseBook *book, const char *id, guint64 generation, LeaseClaim *claim, GError **error)
{
    g_autoptr(Lease) lease = lease_book_take(book, id, generation, claim, error);

    if (lease && !lease_book_is_valid(lease)) {
        lease_claim_busy(error, id, "what it made is being taken away");
        return NULL;
    }
    return g_steal_pointer(&lease);
}

Lease *
lease_book_renew(LeaseBook *book, const char *id, guint64 generation, unsigned timeout_seconds,
                 GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = take_valid(book, id, generation, &claim, error);

    if (!lease || !lease_store_renew(book->store, id, generation, timeout_seconds, error))
        return NULL;
    return lease_store_get(book->store, id, generation, error);
}

Lease *
lease_book_commit(LeaseBook *book, const char *id, guint64 generation, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = take_valid(book, id, generation, &claim, error);

    if (!lease || !lease_store_set_state(book->store, id, LEASE_COMMITTED, "", error))
        return NULL;
    return lease_store_get(book->store, id, generation, error);
}

Lease *
lease_book_recover(LeaseBook *book, const char *id, gint64 patience_usec, LeaseClaim *claim)
{
    if (!lease_claim_recover(&book->claims, id, patience_usec, claim))
        return NULL;
    return lease_store_get(book->store, id, 0, NULL);
}
