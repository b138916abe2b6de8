/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides what is due for each lease, and starts it. */
#include "netprep/reconcile.h"

#include "netprep/attach.h"
#include "netprep/guest_view.h"
#include "netprep/pool_port.h"
#include "netprep/release.h"
#include "netprep/replug.h"

#define PERIOD_SECONDS 5
/* What failed is tried again after 5, 10, 20, 40 seconds and then each minute; an event about the
 * guest, such as its agent's return, makes it due at once. */
#define RETRY_SECONDS_MIN 5
#define RETRY_SECONDS_MAX 60
/* What guests that are not here held is freed so many leases at a time. When half of them have
 * ended, others follow with a survey of their own: one is believed for some tens of milliseconds.
 */
#define FREED_AT_ONCE     64
#define FREED_MORE_AT     (FREED_AT_ONCE / 2)
#define FREE_PATIENCE_SEC 1 /* until half of them have ended; else the others' turn is later */

typedef struct {
    unsigned tries;
    gint64 due_usec;
} Retry;

struct Reconciler {
    const NetworkHost *host;
    GHashTable *retries;    /* lease id -> Retry *; the thread's own */
    GPtrArray *freeing;     /* of Job *, some of them ended; the thread's own */
    HypervisorWatch *watch; /* of the thread */
    GCancellable *stop;
    GThread *thread;
};

typedef struct {
    const NetworkHost *host;
    char *lease;
    FunctionInventory *inventory; /* referenced; NULL: none */
} Errand;

static void
errand_free(Errand *errand)
{
    function_inventory_unref(errand->inventory);
    g_free(errand->lease);
    g_free(errand);
}

static ReconcileAction
decide_reservation(const Lease *lease, Whereabouts whereabouts)
{
    gboolean expired = lease->remaining_usec <= 0;

    if (g_str_equal(lease->state, STATE_ATTACHED))
        return expired ? RECONCILE_FORGET : RECONCILE_WAIT;
    switch (whereabouts) {
    case WHEREABOUTS_GONE:
        return expired ? RECONCILE_FREE : RECONCILE_WAIT;
    case WHEREABOUTS_RUNNING:
        return RECONCILE_ATTACH;
    case WHEREABOUTS_MOVING:
        /* The end of coming in, unless it has been here long enough to be degraded. */
        return g_str_equal(lease->state, STATE_DEGRADED) ? RECONCILE_WAIT : RECONCILE_ATTACH;
    case WHEREABOUTS_WAITING:
        return RECONCILE_WAIT;
    }
    g_return_val_if_reached(RECONCILE_WAIT);
}

static ReconcileAction
decide_running_detachment(const Lease *lease, gboolean complete)
{
    gboolean expired = lease->remaining_usec <= 0;

    if (g_str_equal(lease->state, STATE_DETACHED))
        return expired ? RECONCILE_REPLUG : RECONCILE_WAIT;
    if (!g_str_equal(lease->state, STATE_WATCHING) || !complete)
        return RECONCILE_REPLUG;
    return expired ? RECONCILE_FORGET : RECONCILE_WAIT;
}

static ReconcileAction
decide_detachment(const Lease *lease, Whereabouts whereabouts, gboolean complete)
{
    switch (whereabouts) {
    case WHEREABOUTS_GONE:
        return RECONCILE_FREE;
    case WHEREABOUTS_RUNNING:
        return decide_running_detachment(lease, complete);
    case WHEREABOUTS_MOVING:
    case WHEREABOUTS_WAITING:
        return RECONCILE_WAIT;
    }
    g_return_val_if_reached(RECONCILE_WAIT);
}

ReconcileAction
reconcile_decide(const Lease *lease, Whereabouts whereabouts, gboolean complete)
{
    return g_str_equal(lease->kind, LEASE_RESERVATION)
               ? decide_reservation(lease, whereabouts)
               : decide_detachment(lease, whereabouts, complete);
}

static Whereabouts
view_whereabouts(const GuestView *view)
{
    if (!view || !guest_view_is_active(view))
        return WHEREABOUTS_GONE;
    if (view->guest->state != GUEST_STATE_RUNNING)
        return WHEREABOUTS_WAITING;
    return view->guest->has_job ? WHEREABOUTS_MOVING : WHEREABOUTS_RUNNING;
}

static gboolean
has_all(const GuestView *view, const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!view || !guest_view_find(view->live, asset->key))
            return FALSE;
    }
    return TRUE;
}

static gboolean
observe(const NetworkHost *host, const Lease *lease, ReconcileAction *ret_action, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, lease->guest_uuid, &failure);

    if (!view && !g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    *ret_action = reconcile_decide(lease, view_whereabouts(view), has_all(view, lease));
    return TRUE;
}

static gboolean
perform(const Errand *errand, Job *job, const Lease *lease, ReconcileAction action, GError **error)
{
    const NetworkHost *host = errand->host;

    switch (action) {
    case RECONCILE_WAIT:
        return TRUE;
    case RECONCILE_FORGET:
        return lease_store_remove(host->leases, lease->id, error);
    case RECONCILE_ATTACH:
        return attach_reservation(host, job, lease, error);
    case RECONCILE_REPLUG:
        return replug_detachment(host, job, lease, error);
    case RECONCILE_FREE:
        return release_functions(host, lease, errand->inventory, error);
    }
    g_return_val_if_reached(FALSE);
}

/* Asks again what is due: another job may have ended between the look and this one's start. */
static json_t *
run_errand(Job *job, void *data, GError **error)
{
    const Errand *errand = data;
    g_autoptr(Lease) lease = lease_store_get(errand->host->leases, errand->lease, 0, error);
    ReconcileAction action = RECONCILE_WAIT;

    network_progress(job, "reconcile", NULL, NULL);
    if (!lease || !observe(errand->host, lease, &action, error) ||
        !perform(errand, job, lease, action, error))
        return NULL;
    return json_object();
}

static const char *
job_kind(ReconcileAction action)
{
    switch (action) {
    case RECONCILE_ATTACH:
        return "Plug";
    case RECONCILE_REPLUG:
        return "Replug";
    case RECONCILE_WAIT:
    case RECONCILE_FREE:
    case RECONCILE_FORGET:
        return "Free";
    }
    g_return_val_if_reached("Free");
}

/* Whether nobody but the clock asks for it. */
static gboolean
is_expiry(const Lease *lease, ReconcileAction action)
{
    if (lease->remaining_usec > 0)
        return FALSE;
    return (action == RECONCILE_FREE &&
            network_lease_is(lease, LEASE_RESERVATION, STATE_RESERVED)) ||
           (action == RECONCILE_REPLUG &&
            network_lease_is(lease, LEASE_DETACHMENT, STATE_DETACHED));
}

static Job *
start_errand(const NetworkHost *host, const Lease *lease, ReconcileAction action,
             FunctionInventory *inventory, GError **error)
{
    Errand *errand = g_new0(Errand, 1);

    errand->host = host;
    errand->lease = g_strdup(lease->id);
    errand->inventory = inventory ? function_inventory_ref(inventory) : NULL;
    return job_start_errand(host->jobs, job_kind(action), lease->guest_uuid, run_errand, errand,
                            (GDestroyNotify)errand_free, error);
}

static void
warn_waiting(const Lease *lease, const GError *error)
{
    if (!g_error_matches(error, FAULT, FAULT_GUEST_BUSY))
        g_warning("lease %s of guest '%s' must wait: %s", lease->id, lease->guest_name,
                  error->message);
}

/* By one survey of the host, and at the same time. */
static void
free_some(Reconciler *reconciler, Lease *const *leases, guint count)
{
    const NetworkHost *host = reconciler->host;
    g_autoptr(GError) failure = NULL;
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(host, &failure);

    if (!inventory) {
        g_warning("cannot free what leases hold: %s", failure->message);
        return;
    }
    for (guint i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;
        Job *job = start_errand(host, leases[i], RECONCILE_FREE, inventory, &error);

        if (job)
            g_ptr_array_add(reconciler->freeing, job); /* a failure is on the lease */
        else
            warn_waiting(leases[i], error);
    }
}

/* How many more may be freed now. 0: too many of those before do not end. */
static guint
await_places(Reconciler *reconciler)
{
    gint64 deadline = g_get_monotonic_time() + FREE_PATIENCE_SEC * G_USEC_PER_SEC;

    job_await_fewer(reconciler->host->jobs, reconciler->freeing, FREED_MORE_AT, deadline);
    return FREED_AT_ONCE - MIN(FREED_AT_ONCE, reconciler->freeing->len);
}

/* After a restart there may be a thousand whose guests are not here. None waits for a certain
 * other one, which may hang in a driver. */
static void
free_all(Reconciler *reconciler, const GPtrArray *leases)
{
    for (guint first = 0, places; first < leases->len; first += places) {
        places = MIN(await_places(reconciler), leases->len - first);
        if (places == 0) {
            g_warning("%u leases must wait until some of %u others are free", leases->len - first,
                      reconciler->freeing->len);
            return;
        }
        free_some(reconciler, (Lease *const *)leases->pdata + first, places);
    }
}

/* Whether a lease that failed before may be tried again; counts the try. */
static gboolean
is_due(Reconciler *reconciler, const Lease *lease)
{
    gint64 now = g_get_monotonic_time();

    if (!g_str_equal(lease->state, STATE_DEGRADED))
        return TRUE;
    Retry *retry = g_hash_table_lookup(reconciler->retries, lease->id);
    if (!retry) {
        retry = g_new0(Retry, 1);
        g_hash_table_insert(reconciler->retries, g_strdup(lease->id), retry);
    } else if (now < retry->due_usec) {
        return FALSE;
    }
    gint64 pause = MIN((gint64)RETRY_SECONDS_MIN << MIN(retry->tries, 8), RETRY_SECONDS_MAX);
    retry->tries++;
    retry->due_usec = now + pause * G_USEC_PER_SEC;
    return TRUE;
}

/* Starts what is due, or adds the lease to those that are @to_free. */
static gboolean
reconcile_lease(Reconciler *reconciler, Lease *lease, GPtrArray *to_free, GError **error)
{
    const NetworkHost *host = reconciler->host;
    g_autoptr(Job) running = job_registry_find_subject(host->jobs, lease->guest_uuid);
    ReconcileAction action = RECONCILE_WAIT;

    if (running)
        return TRUE;
    if (!observe(host, lease, &action, error))
        return FALSE;
    if (action == RECONCILE_WAIT || !is_due(reconciler, lease))
        return TRUE;
    if (is_expiry(lease, action))
        bulletin_post(host->bulletin, BULLETIN_EXPIRED, lease, NULL);
    if (action == RECONCILE_FREE) {
        g_ptr_array_add(to_free, lease);
        return TRUE;
    }
    g_autoptr(Job) job = start_errand(host, lease, action, NULL, error);
    return job != NULL;
}

static gboolean
is_among(const GPtrArray *leases, const char *id)
{
    for (guint i = 0; i < leases->len; i++) {
        if (g_str_equal(((const Lease *)leases->pdata[i])->id, id))
            return TRUE;
    }
    return FALSE;
}

/* Leases that are gone need no retry. */
static void
forget_retries(Reconciler *reconciler, const GPtrArray *leases)
{
    GHashTableIter iter;
    void *id;

    g_hash_table_iter_init(&iter, reconciler->retries);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        if (!is_among(leases, id))
            g_hash_table_iter_remove(&iter);
    }
}

void
reconcile_now(Reconciler *reconciler, const char *uuid)
{
    g_autoptr(GError) unreadable = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(reconciler->host->leases, &unreadable);
    g_autoptr(GPtrArray) to_free = g_ptr_array_new();

    if (!leases) {
        g_warning("cannot look after leases: %s", unreadable->message);
        return;
    }
    forget_retries(reconciler, leases);
    pool_ports_sweep(reconciler->host);
    bulletin_prune(reconciler->host->bulletin);
    for (guint i = 0; i < leases->len; i++) {
        Lease *lease = leases->pdata[i];
        g_autoptr(GError) error = NULL;

        if (uuid && !g_str_equal(lease->guest_uuid, uuid))
            continue;
        if (uuid)
            g_hash_table_remove(reconciler->retries, lease->id);
        if (!reconcile_lease(reconciler, lease, to_free, &error))
            warn_waiting(lease, error);
    }
    free_all(reconciler, to_free);
}

Reconciler *
reconciler_new(const NetworkHost *host)
{
    Reconciler *reconciler = g_new0(Reconciler, 1);

    reconciler->host = host;
    reconciler->retries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    reconciler->freeing = g_ptr_array_new_with_free_func((GDestroyNotify)job_unref);
    reconciler->stop = g_cancellable_new();
    return reconciler;
}

static void *
run(void *data)
{
    Reconciler *reconciler = data;

    reconcile_now(reconciler, NULL);
    while (!g_cancellable_is_cancelled(reconciler->stop)) {
        gint64 deadline = g_get_monotonic_time() + PERIOD_SECONDS * G_USEC_PER_SEC;
        g_autoptr(HypervisorEvent) event =
            hypervisor_watch_next(reconciler->watch, deadline, reconciler->stop, NULL);

        if (!g_cancellable_is_cancelled(reconciler->stop))
            reconcile_now(reconciler, event && *event->uuid ? event->uuid : NULL);
    }
    return NULL;
}

void
reconciler_run(Reconciler *reconciler)
{
    reconciler->watch = hypervisor_watch_new(reconciler->host->hypervisor, NULL);
    reconciler->thread = g_thread_new("reconcile", run, reconciler);
}

void
reconciler_free(Reconciler *reconciler)
{
    if (!reconciler)
        return;
    g_cancellable_cancel(reconciler->stop);
    if (reconciler->thread)
        g_thread_join(reconciler->thread);
    g_clear_pointer(&reconciler->watch, hypervisor_watch_free);
    g_hash_table_unref(reconciler->retries);
    g_ptr_array_unref(reconciler->freeing);
    g_object_unref(reconciler->stop);
    g_free(reconciler);
}
