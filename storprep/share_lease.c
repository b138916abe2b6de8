/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the life of share leases, from the request until nobody needs or uses them. */
#include "storprep/share_lease.h"

#include "common/fault.h"
#include "storprep/lease_claim.h"

#define CLAIM_USEC     (120 * G_USEC_PER_SEC) /* a mount takes its time */
#define RECONCILE_USEC (5 * G_USEC_PER_SEC)

#define STATE_MAKING    "making"
#define STATE_READY     "ready"
#define STATE_COMMITTED "committed"
#define STATE_REMOVING  "removing"
#define STATE_DEGRADED  "degraded"

struct ShareLeases {
    ShareHost host;
    LeaseClaims claims;   /* ids of leases that somebody works on */
    LeaseClaims subjects; /* what somebody makes or takes away */
    GMutex lock;
    GCond stopped;
    gboolean stop;
    GThread *thread;
};

static const ShareKind *const kinds[] = { &export_kind, &firewall_kind, &mount_kind, &probe_kind };

gboolean
share_lease_has_kind(const char *kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i]->kind, kind))
            return TRUE;
    }
    return FALSE;
}

static const ShareKind *
kind_of(const LeaseAsset *asset)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i]->kind, asset->kind))
            return kinds[i];
    }
    g_return_val_if_reached(kinds[0]);
}

static gboolean
is_needed(const Lease *lease)
{
    return g_str_equal(lease->state, STATE_COMMITTED) ||
           (g_str_equal(lease->state, STATE_READY) && lease->remaining_usec > 0);
}

static gboolean
is_valid(const Lease *lease)
{
    return g_str_equal(lease->state, STATE_COMMITTED) || g_str_equal(lease->state, STATE_READY);
}

/* Making. */

static gboolean
make_asset(ShareLeases *leases, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };

    return lease_claim_take(&leases->subjects, share_subject(asset), CLAIM_USEC, &claim, error) &&
           kind_of(asset)->make(&leases->host, lease, asset, error);
}

static gboolean
make_all(ShareLeases *leases, const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!make_asset(leases, lease, lease->assets->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Taking away. */

/* Whether this lease is the one that has to take @asset away, being the last that holds it. */
static gboolean
must_undo(ShareLeases *leases, const Lease *lease, const LeaseAsset *asset, gboolean *ret_must,
          GError **error)
{
    g_autoptr(LeaseAsset) other = NULL;

    if (!share_find_other(&leases->host, lease, asset, &other, error))
        return FALSE;
    *ret_must = share_is_ours(asset) && !other;
    return TRUE;
}

static gboolean
check_unused(ShareLeases *leases, const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        gboolean must;

        if (!must_undo(leases, lease, asset, &must, error) ||
            (must && !kind_of(asset)->check_unused(&leases->host, asset, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
undo_asset(ShareLeases *leases, const Lease *lease, const LeaseAsset *asset, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    gboolean must;

    if (!lease_claim_take(&leases->subjects, share_subject(asset), CLAIM_USEC, &claim, error) ||
        !must_undo(leases, lease, asset, &must, error) ||
        (must && !kind_of(asset)->undo(&leases->host, asset, error)))
        return FALSE;
    return lease_store_drop_asset(leases->host.store, lease->id, asset->kind, asset->key, error);
}

/* In the opposite order of making. Goes on after an error and returns the first. */
static gboolean
undo_all(ShareLeases *leases, const Lease *lease, GError **error)
{
    GError *first = NULL;

    for (guint i = lease->assets->len; i-- > 0;)
        undo_asset(leases, lease, lease->assets->pdata[i], first ? NULL : &first);
    if (first)
        g_propagate_error(error, first);
    return !first;
}

/* Keeps the lease for another try, logged once for each new reason. */
static void
degrade(ShareLeases *leases, const Lease *lease, GError **error)
{
    g_autoptr(GError) cause = g_steal_pointer(error);
    g_autoptr(GError) store_error = NULL;
    g_autofree char *object = g_strdup_printf("lease '%s'", lease->id);

    if (!g_str_equal(lease->state, STATE_DEGRADED) || !g_str_equal(lease->reason, cause->message))
        g_warning("cannot take away what lease %s made: %s", lease->id, cause->message);
    if (!lease_store_set_state(leases->host.store, lease->id, STATE_DEGRADED, cause->message,
                               &store_error))
        g_warning("cannot record that: %s", store_error->message);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, object, fault_remedy(cause),
              "not all that it made could be taken away; that is tried again: %s", cause->message);
}

/* Ends @lease (claimed, as the store has it now, and unused). */
static gboolean
end_lease(ShareLeases *leases, const Lease *lease, GError **error)
{
    GError *cause = NULL;

    /* Durable first, so that after a crash nobody renews a lease that is half gone. */
    if (!g_str_equal(lease->state, STATE_DEGRADED) &&
        !lease_store_set_state(leases->host.store, lease->id, STATE_REMOVING, "", error))
        return FALSE;
    if (!undo_all(leases, lease, &cause)) {
        degrade(leases, lease, &cause);
        g_propagate_error(error, cause);
        return FALSE;
    }
    if (!lease_store_remove(leases->host.store, lease->id, error))
        return FALSE;
    g_info("%s lease %s of '%s' ended", lease->kind, lease->id, lease->owner);
    return TRUE;
}

/* Creating. */

static void
fill_draft(const ShareRequest *request, Lease *draft)
{
    *draft = (Lease) {
        .kind = request->kind,
        .owner = request->owner,
        .token = request->token,
        .guest_name = (char *)"",
        .guest_uuid = (char *)"",
        .state = (char *)STATE_MAKING,
        .reason = (char *)"",
        .request = request->json,
        .assets = request->assets,
    };
}

/* Under the lock, so that nobody sees the record unclaimed. */
static Lease *
record_lease(ShareLeases *leases, const ShareRequest *request, LeaseClaim *claim,
             gboolean *ret_existing, GError **error)
{
    Lease draft;
    Lease *lease;

    fill_draft(request, &draft);
    g_mutex_lock(&leases->claims.lock);
    lease = lease_store_create(leases->host.store, &draft, request->timeout_seconds,
                               FAULT_LEASE_CONFLICT, ret_existing, error);
    if (lease && !*ret_existing)
        lease_claim_set(&leases->claims, lease->id, claim);
    g_mutex_unlock(&leases->claims.lock);
    return lease;
}

/* A repeated request: waits for the first one's end. */
static Lease *
await_lease(ShareLeases *leases, const char *id, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = NULL;

    if (!lease_claim_take(&leases->claims, id, CLAIM_USEC, &claim, error))
        return NULL;
    lease = lease_store_get(leases->host.store, id, 0, NULL);
    if (lease && is_valid(lease))
        return g_steal_pointer(&lease);
    lease_claim_busy(error, id, "an earlier request with this token failed and is being undone");
    return NULL;
}

/* After a failed creation: *error becomes the one for the caller. */
static void
undo_creation(ShareLeases *leases, const char *id, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(leases->host.store, id, 0, NULL);
    g_autoptr(GError) undo_error = NULL;
    g_autoptr(GError) cause = NULL;

    if (lease && end_lease(leases, lease, &undo_error))
        return;
    cause = g_steal_pointer(error);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, fault_object(cause), fault_remedy(cause),
              "%s; then: %s", fault_cause(cause),
              undo_error ? undo_error->message : "the lease cannot be read");
}

Lease *
share_leases_create(ShareLeases *leases, const ShareRequest *request, GError **error)
{
    gboolean existing = FALSE;
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = record_lease(leases, request, &claim, &existing, error);
    GError *cause = NULL;

    if (!lease)
        return NULL;
    if (existing)
        return await_lease(leases, lease->id, error);
    if (make_all(leases, lease, &cause) &&
        lease_store_set_state(leases->host.store, lease->id, STATE_READY, "", &cause))
        return lease_store_get(leases->host.store, lease->id, 0, error);
    undo_creation(leases, lease->id, &cause);
    g_propagate_error(error, cause);
    return NULL;
}

/* Claims a lease that is to be changed and is not on its way out. */
static Lease *
take_valid(ShareLeases *leases, const char *id, guint64 generation, LeaseClaim *claim,
           GError **error)
{
    g_autoptr(Lease) lease = NULL;

    if (!lease_claim_take(&leases->claims, id, CLAIM_USEC, claim, error) ||
        !(lease = lease_store_get(leases->host.store, id, generation, error)))
        return NULL;
    if (!is_valid(lease)) {
        lease_claim_busy(error, id, "what it made is being taken away");
        return NULL;
    }
    return g_steal_pointer(&lease);
}

Lease *
share_leases_renew(ShareLeases *leases, const char *id, guint64 generation,
                   unsigned timeout_seconds, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = take_valid(leases, id, generation, &claim, error);

    if (!lease || !lease_store_renew(leases->host.store, id, generation, timeout_seconds, error))
        return NULL;
    return lease_store_get(leases->host.store, id, generation, error);
}

Lease *
share_leases_commit(ShareLeases *leases, const char *id, guint64 generation, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = take_valid(leases, id, generation, &claim, error);

    if (!lease || !lease_store_set_state(leases->host.store, id, STATE_COMMITTED, "", error))
        return NULL;
    return lease_store_get(leases->host.store, id, generation, error);
}

static gboolean
is_foreign(const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (share_is_ours(lease->assets->pdata[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean
share_leases_release(ShareLeases *leases, const char *id, guint64 generation, gboolean *ret_kept,
                     GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = NULL;
    gboolean kept;

    if (!lease_claim_take(&leases->claims, id, CLAIM_USEC, &claim, error) ||
        !(lease = lease_store_get(leases->host.store, id, generation, error)))
        return FALSE;
    kept = is_foreign(lease);
    if (!check_unused(leases, lease, error) || !end_lease(leases, lease, error))
        return FALSE;
    *ret_kept = kept;
    return TRUE;
}

/* Looking after. */

static gboolean
restore_asset(ShareLeases *leases, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    const ShareKind *kind = kind_of(asset);

    if (!kind->restore || !share_is_ours(asset))
        return TRUE;
    return lease_claim_take(&leases->subjects, share_subject(asset), 0, &claim, error) &&
           kind->restore(&leases->host, lease, asset, error);
}

static gboolean
restore_all(ShareLeases *leases, const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!restore_asset(leases, lease, lease->assets->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

/* Says in the lease what is wrong with it just now; "" takes that back. */
static void
note_reason(ShareLeases *leases, const Lease *lease, const char *reason)
{
    if (g_str_equal(lease->reason, reason))
        return;
    if (*reason)
        g_message("%s lease %s: %s", lease->kind, lease->id, reason);
    lease_store_set_state(leases->host.store, lease->id, lease->state, reason, NULL);
}

static void
reconcile_lease(ShareLeases *leases, const char *id)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = NULL;

    if (!lease_claim_take(&leases->claims, id, 0, &claim, NULL) ||
        !(lease = lease_store_get(leases->host.store, id, 0, NULL)))
        return;
    if (is_needed(lease)) {
        note_reason(leases, lease, restore_all(leases, lease, &error) ? "" : error->message);
        return;
    }
    if (!check_unused(leases, lease, &error))
        note_reason(leases, lease, error->message);
    else if (!end_lease(leases, lease, &error) && fault_code(error) != FAULT_ROLLBACK_INCOMPLETE)
        g_warning("cannot look after lease %s: %s", id, error->message);
}

void
share_leases_reconcile(ShareLeases *leases)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) all = lease_store_list(leases->host.store, &error);

    if (!all) {
        g_warning("cannot look after leases: %s", error->message);
        return;
    }
    for (guint i = 0; i < all->len; i++) {
        const Lease *lease = all->pdata[i];

        if (share_lease_has_kind(lease->kind))
            reconcile_lease(leases, lease->id);
    }
}

static void *
look_after(void *data)
{
    ShareLeases *leases = data;

    g_mutex_lock(&leases->lock);
    while (!leases->stop) {
        gint64 next_usec = g_get_monotonic_time() + RECONCILE_USEC;

        g_mutex_unlock(&leases->lock);
        share_leases_reconcile(leases);
        g_mutex_lock(&leases->lock);
        while (!leases->stop && g_cond_wait_until(&leases->stopped, &leases->lock, next_usec))
            ;
    }
    g_mutex_unlock(&leases->lock);
    return NULL;
}

ShareLeases *
share_leases_new(const ShareHost *host)
{
    ShareLeases *leases = g_new0(ShareLeases, 1);

    leases->host = *host;
    lease_claims_init(&leases->claims);
    lease_claims_init(&leases->subjects);
    g_mutex_init(&leases->lock);
    g_cond_init(&leases->stopped);
    leases->thread = g_thread_new("shares", look_after, leases);
    return leases;
}

void
share_leases_free(ShareLeases *leases)
{
    if (!leases)
        return;
    g_mutex_lock(&leases->lock);
    leases->stop = TRUE;
    g_cond_signal(&leases->stopped);
    g_mutex_unlock(&leases->lock);
    g_thread_join(leases->thread);
    g_cond_clear(&leases->stopped);
    g_mutex_clear(&leases->lock);
    lease_claims_clear(&leases->subjects);
    lease_claims_clear(&leases->claims);
    g_free(leases);
}
