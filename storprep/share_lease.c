/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the life of share leases, from the request until nobody needs or uses them. */
#include "storprep/share_lease.h"

#include <string.h>

#include "common/fault.h"
#include "common/maintenance.h"
#include "storprep/lease_book.h"
#include "storprep/lease_errands.h"

#define SUBJECT_USEC   (120 * G_USEC_PER_SEC) /* a mount takes its time */
#define RECONCILE_USEC (5 * G_USEC_PER_SEC)
#define RECOVER_USEC   (G_USEC_PER_SEC / 5) /* to wait for a call, or for who restores the same */

struct ShareLeases {
    ShareHost host;
    LeaseBook book;
    LeaseClaims subjects; /* what somebody makes or takes away */
    LeaseErrands *errands;
    GMutex lock;
    GCond stopped;
    gboolean stop;
    GThread *thread;
};

static const ShareKind *const kinds[] = { &export_kind, &firewall_kind, &mount_kind, &pool_kind,
                                          &probe_kind };

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
    /* Unreachable: leases of shares are only made with assets of these kinds. */
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i]->kind, asset->kind))
            return kinds[i];
    }
    g_return_val_if_reached(kinds[0]);
}

static gboolean
is_needed(const Lease *lease)
{
    return g_str_equal(lease->state, LEASE_COMMITTED) ||
           (g_str_equal(lease->state, LEASE_READY) && lease->remaining_usec > 0);
}

/* Making. */

static gboolean
has_claim(const GArray *claims, const char *subject)
{
    for (guint i = 0; i < claims->len; i++) {
        if (g_str_equal(g_array_index(claims, LeaseClaim, i).name, subject))
            return TRUE;
    }
    return FALSE;
}

/* For what two assets have in common, a mount and its pool, one is enough. */
static gboolean
claim_subject(ShareLeases *leases, const LeaseAsset *asset, GArray *claims, GError **error)
{
    LeaseClaim claim = { 0 };

    if (has_claim(claims, share_subject(asset)))
        return TRUE;
    if (!lease_claim_take(&leases->subjects, share_subject(asset), SUBJECT_USEC, &claim, error))
        return FALSE;
    g_array_append_val(claims, claim);
    return TRUE;
}

static int
rank(const LeaseAsset *asset)
{
    int rank = 0;

    while (kinds[rank] != kind_of(asset))
        rank++;
    return rank;
}

static int
compare_assets(const void *a, const void *b)
{
    const LeaseAsset *left = *(LeaseAsset *const *)a, *right = *(LeaseAsset *const *)b;
    int order = rank(left) - rank(right);

    return order ? order : strcmp(share_subject(left), share_subject(right));
}

/* A pool needs its mount; and whoever wants several subjects claims them in this order. */
static void
sort_assets(const Lease *lease)
{
    g_ptr_array_sort(lease->assets, compare_assets);
}

/* The subjects stay claimed until all is recorded: others learn of them from the record. */
static gboolean
make_all(void *data, Lease *lease, GError **error)
{
    ShareLeases *leases = data;
    g_autoptr(GArray) claims = g_array_new(FALSE, FALSE, sizeof(LeaseClaim));

    g_array_set_clear_func(claims, (GDestroyNotify)lease_claim_clear);
    sort_assets(lease);
    for (guint i = 0; i < lease->assets->len; i++) {
        LeaseAsset *asset = lease->assets->pdata[i];

        if (!claim_subject(leases, asset, claims, error) ||
            !kind_of(asset)->make(&leases->host, lease, asset, error))
            return FALSE;
    }
    return lease_store_settle(leases->host.store, lease, LEASE_READY, FAULT_LEASE_CONFLICT, error);
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

/* Takes away what is to be seen of it, or was prepared unseen. */
static gboolean
clear_asset(ShareLeases *leases, const Lease *lease, const LeaseAsset *asset, GError **error)
{
    const ShareKind *kind = kind_of(asset);
    gboolean must;

    if (g_str_equal(asset->state, SHARE_PLANNED))
        return !kind->discard || kind->discard(asset, error);
    return must_undo(leases, lease, asset, &must, error) &&
           (!must || kind->undo(&leases->host, asset, error));
}

static gboolean
undo_asset(ShareLeases *leases, const Lease *lease, const LeaseAsset *asset, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };

    if (!lease_claim_take(&leases->subjects, share_subject(asset), SUBJECT_USEC, &claim, error) ||
        !clear_asset(leases, lease, asset, error))
        return FALSE;
    return lease_store_drop_asset(leases->host.store, lease->id, asset->kind, asset->key, error);
}

/* In the opposite order of making. Goes on after an error and returns the first. */
static gboolean
undo_all(void *data, const Lease *lease, gboolean keep, GError **error)
{
    ShareLeases *leases = data;
    GError *first = NULL;

    sort_assets(lease);
    for (guint i = lease->assets->len; i-- > 0;)
        undo_asset(leases, lease, lease->assets->pdata[i], first ? NULL : &first);
    if (first)
        g_propagate_error(error, first);
    return !first;
}

/* Only guests that are to come here need a mount of their own. */
static gboolean
check_admitted(void *data, const Lease *lease, GError **error)
{
    const ShareLeases *leases = data;

    return !g_str_equal(lease->kind, mount_kind.kind) ||
           maintenance_check(leases->host.root, "mount", error);
}

static const LeaseWork work = {
    .busy_code = FAULT_LEASE_CONFLICT,
    .check = check_admitted,
    .make = make_all,
    .undo = undo_all,
};

/* Calls. */

static void
fill_draft(const ShareRequest *request, Lease *draft)
{
    *draft = (Lease) {
        .kind = request->kind,
        .owner = request->owner,
        .token = request->token,
        .guest_name = (char *)"",
        .guest_uuid = (char *)"",
        .state = (char *)LEASE_MAKING,
        .reason = (char *)"",
        .request = request->json,
        .assets = request->assets,
    };
}

Lease *
share_leases_create(ShareLeases *leases, const ShareRequest *request, GError **error)
{
    Lease draft;

    fill_draft(request, &draft);
    return lease_book_create(&leases->book, &draft, request->timeout_seconds, error);
}

Lease *
share_leases_renew(ShareLeases *leases, const char *id, guint64 generation,
                   unsigned timeout_seconds, GError **error)
{
    return lease_book_renew(&leases->book, id, generation, timeout_seconds, error);
}

Lease *
share_leases_commit(ShareLeases *leases, const char *id, guint64 generation, GError **error)
{
    return lease_book_commit(&leases->book, id, generation, error);
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
    g_autoptr(Lease) lease = lease_book_take(&leases->book, id, generation, &claim, error);
    gboolean kept;

    if (!lease)
        return FALSE;
    kept = is_foreign(lease);
    if (!check_unused(leases, lease, error) || !lease_book_end(&leases->book, lease, FALSE, error))
        return FALSE;
    *ret_kept = kept;
    return TRUE;
}

/* Ending by what is shared. */

/* A lease is about what its assets of its own kind are about, not about what these bring along. */
static gboolean
holds(const Lease *lease, const char *kind, const char *place)
{
    for (guint i = 0; i < lease->assets->len && g_str_equal(lease->kind, kind); i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (g_str_equal(asset->kind, kind) && (g_str_equal(share_subject(asset), place) ||
                                               g_str_equal(share_text(asset, "directory"), place)))
            return TRUE;
    }
    return FALSE;
}

/* The leases of @kind about @place: all are of @owner. */
static GPtrArray *
list_of_owner(ShareLeases *leases, const char *kind, const char *owner, const char *place,
              GError **error)
{
    g_autoptr(GPtrArray) all = lease_store_list(leases->host.store, error);
    g_autofree char *object = g_strdup_printf("%s of '%s'", kind, place);

    for (guint i = all ? all->len : 0; i-- > 0;) {
        const Lease *lease = all->pdata[i];

        if (!holds(lease, kind, place)) {
            g_ptr_array_remove_index(all, i);
        } else if (!g_str_equal(lease->owner, owner)) {
            fault_set(error, FAULT_SHARE_BUSY, object, "have its owner release that lease",
                      "'%s' needs it under lease %s", lease->owner, lease->id);
            return NULL;
        }
    }
    if (all && all->len == 0) {
        fault_set(error, FAULT_LEASE_NOT_FOUND, object, "see ListLeases", "'%s' has no lease of it",
                  owner);
        return NULL;
    }
    return g_steal_pointer(&all);
}

/* Puts each lease as it is now in its place in @ending, claimed. */
static gboolean
take_all(ShareLeases *leases, GPtrArray *ending, GArray *claims, GError **error)
{
    for (guint i = 0; i < ending->len; i++) {
        Lease *listed = ending->pdata[i];
        LeaseClaim claim = { 0 };
        Lease *lease =
            lease_book_take(&leases->book, listed->id, listed->generation, &claim, error);

        g_array_append_val(claims, claim);
        if (!lease)
            return FALSE;
        lease_free(listed);
        ending->pdata[i] = lease;
    }
    return TRUE;
}

/* What they hold in common goes with the last of them, which must not be the first to ask. */
static gboolean
check_all_unused(ShareLeases *leases, const GPtrArray *ending, GError **error)
{
    for (guint i = 0; i < ending->len; i++) {
        const Lease *lease = ending->pdata[i];

        for (guint j = 0; j < lease->assets->len; j++) {
            const LeaseAsset *asset = lease->assets->pdata[j];

            if (share_is_ours(asset) && !kind_of(asset)->check_unused(&leases->host, asset, error))
                return FALSE;
        }
    }
    return TRUE;
}

/* Goes on after an error and returns the first. */
static gboolean
end_all(ShareLeases *leases, const GPtrArray *ending, GError **error)
{
    GError *first = NULL;

    for (guint i = 0; i < ending->len; i++)
        lease_book_end(&leases->book, ending->pdata[i], FALSE, first ? NULL : &first);
    if (first)
        g_propagate_error(error, first);
    return !first;
}

gboolean
share_leases_end(ShareLeases *leases, const char *kind, const char *owner, const char *place,
                 gboolean *ret_kept, GError **error)
{
    g_autoptr(GPtrArray) ending = list_of_owner(leases, kind, owner, place, error);
    g_autoptr(GArray) claims = g_array_new(FALSE, FALSE, sizeof(LeaseClaim));
    gboolean kept = TRUE;

    g_array_set_clear_func(claims, (GDestroyNotify)lease_claim_clear);
    if (!ending || !take_all(leases, ending, claims, error) ||
        !check_all_unused(leases, ending, error))
        return FALSE;
    for (guint i = 0; i < ending->len; i++)
        kept = kept && is_foreign(ending->pdata[i]);
    if (!end_all(leases, ending, error))
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
    const json_t *known = asset->detail;

    if (!kind->restore || !share_is_ours(asset))
        return TRUE;
    if (!lease_claim_take(&leases->subjects, share_subject(asset), RECOVER_USEC, &claim, error) ||
        !kind->restore(&leases->host, lease, asset, error))
        return FALSE;
    return asset->detail == known || /* nothing was noted */
           share_record(&leases->host, lease, asset, asset->state, NULL, error);
}

static gboolean
restore_all(ShareLeases *leases, const Lease *lease, GError **error)
{
    sort_assets(lease);
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!restore_asset(leases, lease, lease->assets->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

static void
reconcile_lease(const char *id, gboolean resumed, void *data)
{
    ShareLeases *leases = data;
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = lease_book_recover(&leases->book, id, RECOVER_USEC, &claim);
    g_autoptr(GError) error = NULL;

    if (!lease)
        return;
    if (is_needed(lease))
        lease_book_note(&leases->book, lease,
                        restore_all(leases, lease, &error) ? "" : error->message);
    else if (!check_unused(leases, lease, &error))
        lease_book_note(&leases->book, lease, error->message);
    else if (!lease_book_end(&leases->book, lease, FALSE, &error) &&
             fault_code(error) != FAULT_ROLLBACK_INCOMPLETE)
        g_warning("cannot look after lease %s: %s", id, error->message);
}

static void
reconcile_all(ShareLeases *leases)
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
            lease_errands_ask(leases->errands, lease->id, FALSE);
    }
}

void
share_leases_reconcile(ShareLeases *leases)
{
    reconcile_all(leases);
    lease_errands_await(leases->errands);
}

static void *
look_after(void *data)
{
    ShareLeases *leases = data;

    g_mutex_lock(&leases->lock);
    while (!leases->stop) {
        gint64 next_usec = g_get_monotonic_time() + RECONCILE_USEC;

        g_mutex_unlock(&leases->lock);
        reconcile_all(leases);
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
    lease_book_init(&leases->book, host->store, &work, leases);
    lease_claims_init(&leases->subjects);
    leases->errands = lease_errands_new(reconcile_lease, leases);
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
    lease_errands_free(leases->errands);
    g_cond_clear(&leases->stopped);
    g_mutex_clear(&leases->lock);
    lease_claims_clear(&leases->subjects);
    lease_book_clear(&leases->book);
    g_free(leases);
}
