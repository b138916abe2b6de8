/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the life of target leases, from the request to the guest's arrival or the removal. */
#include "storprep/target_lease.h"

#include <string.h>

#include "common/fault.h"
#include "storprep/lease_claim.h"
#include "storprep/target_files.h"
#include "storprep/target_space.h"

#define CLAIM_USEC     (10 * G_USEC_PER_SEC) /* how long a call waits for another on its lease */
#define RECONCILE_USEC (5 * G_USEC_PER_SEC)

#define STATE_CREATING "creating"
#define STATE_READY    "ready"
#define STATE_REMOVING "removing"
#define STATE_DEGRADED "degraded"

struct TargetLeases {
    LeaseStore *store;
    Hypervisor *hypervisor;
    char **directories;
    LeaseClaims claims; /* ids of leases that somebody works on */
    HypervisorWatch *watch;
    GCancellable *stop;
    GThread *thread;
};

TargetsDecision
target_lease_decide(Presence presence, gboolean due, gboolean released)
{
    switch (presence) {
    case PRESENCE_RUNNING:
        return TARGETS_KEEP;
    case PRESENCE_COMING:
    case PRESENCE_UNKNOWN:
        return TARGETS_WAIT;
    case PRESENCE_SHUT_OFF:
        return released ? TARGETS_KEEP : TARGETS_WAIT;
    case PRESENCE_ABSENT:
        return due || released ? TARGETS_REMOVE : TARGETS_WAIT;
    }
    g_return_val_if_reached(TARGETS_WAIT);
}

static Presence
ask_presence(TargetLeases *leases, const char *uuid, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(leases->hypervisor, uuid, &local);

    if (!guest) {
        if (fault_code(local) == FAULT_GUEST_NOT_FOUND)
            return PRESENCE_ABSENT;
        g_propagate_error(error, g_steal_pointer(&local));
        return PRESENCE_UNKNOWN;
    }
    switch (guest->state) {
    case GUEST_STATE_RUNNING:
        return PRESENCE_RUNNING;
    case GUEST_STATE_SHUT_OFF:
        return PRESENCE_SHUT_OFF;
    case GUEST_STATE_PAUSED:
    case GUEST_STATE_CRASHED:
    case GUEST_STATE_OTHER:
        return PRESENCE_COMING;
    }
    g_return_val_if_reached(PRESENCE_COMING);
}

static const char *
waiting_reason(Presence presence)
{
    switch (presence) {
    case PRESENCE_COMING:
        return "the guest is on this host, but does not run yet";
    case PRESENCE_SHUT_OFF:
        return "the guest is defined on this host: start it, or release the lease to keep the "
               "files";
    case PRESENCE_UNKNOWN:
        return "libvirt does not say whether the guest is on this host";
    case PRESENCE_ABSENT:
    case PRESENCE_RUNNING:
        return "";
    }
    g_return_val_if_reached("");
}

/* Keeps the lease for another try, logged once for each new reason. */
static void
degrade(TargetLeases *leases, const Lease *lease, GError **error)
{
    g_autoptr(GError) cause = g_steal_pointer(error);
    g_autoptr(GError) store_error = NULL;
    g_autofree char *object = g_strdup_printf("lease '%s'", lease->id);

    if (!g_str_equal(lease->state, STATE_DEGRADED) || !g_str_equal(lease->reason, cause->message))
        g_warning("cannot remove the files of lease %s: %s", lease->id, cause->message);
    if (!lease_store_set_state(leases->store, lease->id, STATE_DEGRADED, cause->message,
                               &store_error))
        g_warning("cannot record that: %s", store_error->message);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, object, fault_remedy(cause),
              "not all of its files could be removed; that is tried again: %s", cause->message);
}

/* Ends @lease (claimed, as the store has it now): its files stay or go. */
static gboolean
end_lease(TargetLeases *leases, const Lease *lease, gboolean keep, GError **error)
{
    g_autoptr(GError) cause = NULL;

    /* Durable first, so that after a crash nobody renews a lease whose files are half gone. */
    if (!keep && !g_str_equal(lease->state, STATE_DEGRADED) &&
        !lease_store_set_state(leases->store, lease->id, STATE_REMOVING, "", error))
        return FALSE;
    if (!target_files_remove(lease, keep, &cause)) {
        degrade(leases, lease, &cause);
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    if (!lease_store_remove(leases->store, lease->id, error))
        return FALSE;
    g_info("lease %s of guest '%s' ended: its files are %s", lease->id, lease->guest_name,
           keep ? "the guest's" : "removed");
    return TRUE;
}

static Lease *
make_draft(TargetLeases *leases, const TargetRequest *request, GError **error)
{
    GPtrArray *assets = target_files_plan(request, (const char *const *)leases->directories, error);
    Lease *draft;

    if (!assets)
        return NULL;
    draft = g_new0(Lease, 1);
    draft->kind = g_strdup(TARGETS_KIND);
    draft->owner = g_strdup(request->owner);
    draft->token = g_strdup(request->token);
    draft->guest_name = g_strdup(request->guest_name);
    draft->guest_uuid = g_strdup(request->guest_uuid);
    draft->state = g_strdup(STATE_CREATING);
    draft->reason = g_strdup("");
    draft->request = json_incref(request->json);
    draft->assets = assets;
    return draft;
}

GPtrArray *
target_leases_list(TargetLeases *leases, GError **error)
{
    GPtrArray *all = lease_store_list(leases->store, error);

    for (guint i = all ? all->len : 0; i-- > 0;) {
        const Lease *lease = all->pdata[i];

        if (!g_str_equal(lease->kind, TARGETS_KIND))
            g_ptr_array_remove_index(all, i);
    }
    return all;
}

static gboolean
check_space(TargetLeases *leases, const Lease *lease, GError **error)
{
    g_autoptr(GPtrArray) all = target_leases_list(leases, error);

    return all && target_space_check(lease, all, error);
}

/*
 * Records the lease and claims it, or finds the one there is. Under the lock, so that nobody sees
 * the record unclaimed and two requests cannot both be promised the same room.
 */
static Lease *
record_lease(TargetLeases *leases, const TargetRequest *request, LeaseClaim *claim,
             gboolean *ret_existing, GError **error)
{
    g_autoptr(Lease) draft = make_draft(leases, request, error);
    g_autoptr(Lease) lease = NULL;

    if (!draft)
        return NULL;
    g_mutex_lock(&leases->claims.lock);
    lease = lease_store_create(leases->store, draft, request->timeout_seconds, FAULT_TARGET_EXISTS,
                               ret_existing, error);
    if (lease && !*ret_existing && !check_space(leases, lease, error)) {
        lease_store_remove(leases->store, lease->id, NULL);
        g_clear_pointer(&lease, lease_free);
    }
    if (lease && !*ret_existing)
        lease_claim_set(&leases->claims, lease->id, claim);
    g_mutex_unlock(&leases->claims.lock);
    return g_steal_pointer(&lease);
}

/* A repeated request: waits for the first one's end. */
static Lease *
await_lease(TargetLeases *leases, const char *id, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = NULL;

    if (!lease_claim_take(&leases->claims, id, CLAIM_USEC, &claim, error))
        return NULL;
    lease = lease_store_get(leases->store, id, 0, NULL);
    if (lease && g_str_equal(lease->state, STATE_READY))
        return g_steal_pointer(&lease);
    lease_claim_busy(error, id, "an earlier request with this token failed and is being undone");
    return NULL;
}

static gboolean
check_guest_absent(TargetLeases *leases, const Lease *lease, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", lease->guest_name);
    g_autoptr(GError) cause = NULL;

    switch (ask_presence(leases, lease->guest_uuid, &cause)) {
    case PRESENCE_ABSENT:
    case PRESENCE_SHUT_OFF:
        return TRUE;
    case PRESENCE_UNKNOWN:
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    case PRESENCE_RUNNING:
    case PRESENCE_COMING:
        fault_set(error, FAULT_GUEST_BUSY, object, "create the targets on the host it moves to",
                  "the guest is active on this host already");
        return FALSE;
    }
    g_return_val_if_reached(FALSE);
}

/* After a failed creation: *error becomes the one for the caller. */
static void
undo_creation(TargetLeases *leases, const char *id, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(leases->store, id, 0, NULL);
    g_autoptr(GError) undo_error = NULL;
    g_autoptr(GError) cause = NULL;

    if (lease && end_lease(leases, lease, FALSE, &undo_error))
        return;
    cause = g_steal_pointer(error);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, fault_object(cause), fault_remedy(cause),
              "%s; then: %s", fault_cause(cause),
              undo_error ? undo_error->message : "the lease cannot be read");
}

Lease *
target_leases_create(TargetLeases *leases, const TargetRequest *request, GError **error)
{
    gboolean existing = FALSE;
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = record_lease(leases, request, &claim, &existing, error);
    GError *cause = NULL;

    if (!lease)
        return NULL;
    if (existing)
        return await_lease(leases, lease->id, error);
    if (check_guest_absent(leases, lease, &cause) &&
        target_files_make(leases->store, lease, &cause) &&
        lease_store_set_state(leases->store, lease->id, STATE_READY, "", &cause))
        return lease_store_get(leases->store, lease->id, 0, error);
    undo_creation(leases, lease->id, &cause);
    g_propagate_error(error, cause);
    return NULL;
}

Lease *
target_leases_renew(TargetLeases *leases, const char *id, guint64 generation,
                    unsigned timeout_seconds, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = NULL;

    if (!lease_claim_take(&leases->claims, id, CLAIM_USEC, &claim, error) ||
        !(lease = lease_store_get(leases->store, id, generation, error)))
        return NULL;
    if (!g_str_equal(lease->state, STATE_READY)) {
        lease_claim_busy(error, id, "its files are being removed");
        return NULL;
    }
    if (!lease_store_renew(leases->store, id, generation, timeout_seconds, error))
        return NULL;
    return lease_store_get(leases->store, id, generation, error);
}

gboolean
target_leases_release(TargetLeases *leases, const char *id, guint64 generation, gboolean *ret_kept,
                      GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = NULL;
    TargetsDecision decision;
    GError *cause = NULL;

    if (!lease_claim_take(&leases->claims, id, CLAIM_USEC, &claim, error) ||
        !(lease = lease_store_get(leases->store, id, generation, error)))
        return FALSE;
    decision = target_lease_decide(ask_presence(leases, lease->guest_uuid, &cause), TRUE, TRUE);
    if (cause) {
        g_propagate_error(error, cause);
        return FALSE;
    }
    if (decision == TARGETS_WAIT)
        return lease_claim_busy(error, id, "its guest is coming in");
    if (!end_lease(leases, lease, decision == TARGETS_KEEP, error))
        return FALSE;
    *ret_kept = decision == TARGETS_KEEP;
    return TRUE;
}

/* @resumed: libvirt said that the guest ran here, which stays true if it left again since. */
static void
reconcile_lease(TargetLeases *leases, const char *id, gboolean resumed)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = NULL;
    TargetsDecision decision;
    Presence presence;
    gboolean due;

    if (!lease_claim_take(&leases->claims, id, resumed ? CLAIM_USEC : 0, &claim, NULL) ||
        !(lease = lease_store_get(leases->store, id, 0, NULL)))
        return;
    due = !g_str_equal(lease->state, STATE_READY) || lease->remaining_usec <= 0;
    presence = resumed ? PRESENCE_RUNNING : ask_presence(leases, lease->guest_uuid, NULL);
    decision = target_lease_decide(presence, due, FALSE);
    if (decision != TARGETS_WAIT) {
        end_lease(leases, lease, decision == TARGETS_KEEP, &error);
    } else if (due && !g_str_equal(lease->reason, waiting_reason(presence))) {
        lease_store_set_state(leases->store, id, lease->state, waiting_reason(presence), &error);
    }
    if (error && fault_code(error) != FAULT_ROLLBACK_INCOMPLETE) /* which is logged already */
        g_warning("cannot look after lease %s: %s", id, error->message);
}

/* @uuid NULL: the leases of all guests. */
static void
reconcile_guest(TargetLeases *leases, const char *uuid, gboolean resumed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) all = target_leases_list(leases, &error);

    if (!all) {
        g_warning("cannot look after leases: %s", error->message);
        return;
    }
    for (guint i = 0; i < all->len; i++) {
        const Lease *lease = all->pdata[i];

        if (!uuid || g_ascii_strcasecmp(uuid, lease->guest_uuid) == 0)
            reconcile_lease(leases, lease->id, resumed);
    }
}

void
target_leases_reconcile(TargetLeases *leases)
{
    reconcile_guest(leases, NULL, FALSE);
}

/* Only what may change a decision is worth a look. */
static void
handle_event(TargetLeases *leases, const HypervisorEvent *event)
{
    switch (event->type) {
    case HYPERVISOR_EVENT_RESUMED:
        reconcile_guest(leases, event->uuid, TRUE);
        break;
    case HYPERVISOR_EVENT_STOPPED:
    case HYPERVISOR_EVENT_UNDEFINED:
        reconcile_guest(leases, event->uuid, FALSE);
        break;
    case HYPERVISOR_EVENT_RECONNECTED:
        reconcile_guest(leases, NULL, FALSE);
        break;
    case HYPERVISOR_EVENT_SUSPENDED:
    case HYPERVISOR_EVENT_DEVICE_REMOVED:
    case HYPERVISOR_EVENT_DEVICE_REFUSED:
    case HYPERVISOR_EVENT_AGENT_CONNECTED:
        break;
    }
}

static void *
look_after(void *data)
{
    TargetLeases *leases = data;
    gint64 next_usec = 0;

    while (!g_cancellable_is_cancelled(leases->stop)) {
        g_autoptr(HypervisorEvent) event = NULL;

        if (g_get_monotonic_time() >= next_usec) {
            reconcile_guest(leases, NULL, FALSE);
            next_usec = g_get_monotonic_time() + RECONCILE_USEC;
        }
        event = hypervisor_watch_next(leases->watch, next_usec, leases->stop, NULL);
        if (event)
            handle_event(leases, event);
    }
    return NULL;
}

TargetLeases *
target_leases_new(LeaseStore *store, Hypervisor *hypervisor, const char *const *directories)
{
    TargetLeases *leases = g_new0(TargetLeases, 1);

    leases->store = store;
    leases->hypervisor = hypervisor;
    leases->directories = g_strdupv((char **)directories);
    lease_claims_init(&leases->claims);
    leases->stop = g_cancellable_new();
    leases->watch = hypervisor_watch_new(hypervisor, NULL);
    leases->thread = g_thread_new("targets", look_after, leases);
    return leases;
}

void
target_leases_free(TargetLeases *leases)
{
    if (!leases)
        return;
    g_cancellable_cancel(leases->stop);
    g_thread_join(leases->thread);
    hypervisor_watch_free(leases->watch);
    g_object_unref(leases->stop);
    lease_claims_clear(&leases->claims);
    g_strfreev(leases->directories);
    g_free(leases);
}
