/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the life of target leases, from the request to the guest's arrival or the removal. */
#include "storprep/target_lease.h"

#include <string.h>

#include "common/fault.h"
#include "common/maintenance.h"
#include "storprep/image_digest.h"
#include "storprep/lease_book.h"
#include "storprep/lease_errands.h"
#include "storprep/pool_volume.h"
#include "storprep/target_files.h"
#include "storprep/target_reach.h"
#include "storprep/target_server.h"
#include "storprep/target_space.h"
#include "storprep/target_visit.h"

#define RECONCILE_USEC (5 * G_USEC_PER_SEC)
#define RECOVER_USEC   (G_USEC_PER_SEC / 5)  /* to wait for a call, if nothing new is known */
#define RESUMED_USEC   (10 * G_USEC_PER_SEC) /* when the guest is known to run here */

struct TargetLeases {
    LeaseStore *store;
    Hypervisor *hypervisor;
    char **directories;
    char *root;
    char *mount_info; /* NULL: this process's own */
    TargetReach reach;
    TargetServers *servers;
    TargetVisits *visits;
    LeaseBook book;
    LeaseErrands *errands;
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
    case PRESENCE_GONE:
        return released ? TARGETS_KEEP : TARGETS_WAIT;
    case PRESENCE_ABSENT:
        return due || released ? TARGETS_REMOVE : TARGETS_WAIT;
    }
    g_return_val_if_reached(TARGETS_WAIT);
}

static Presence
ask_presence(TargetLeases *leases, const Lease *lease, GError **error)
{
    g_autoptr(GError) local = NULL;
    guint64 breaks = target_visits_breaks(leases->visits);
    g_autoptr(Guest) guest = hypervisor_get_guest(leases->hypervisor, lease->guest_uuid, &local);

    if (!guest) {
        if (fault_code(local) == FAULT_GUEST_NOT_FOUND)
            return PRESENCE_ABSENT;
        g_propagate_error(error, g_steal_pointer(&local));
        return PRESENCE_UNKNOWN;
    }
    if (guest->is_between)
        target_visits_see(leases->visits, lease->id, breaks);
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

/* Of a guest that is not here: whether it has been, by what libvirt told and what became of the
 * files. Accounts for what a failed migration wrote. */
static Presence
look_for_traces(TargetLeases *leases, Lease *lease, gboolean due, GError **error)
{
    Visit visit = target_visits_miss(leases->visits, lease->id);

    if (visit == VISIT_COMING)
        return PRESENCE_COMING; /* how that ended is about to be told */
    if (visit == VISIT_FAILED) {
        if (!target_reach_check(&leases->reach, lease, error) ||
            !target_files_account(leases->store, lease, error))
            return PRESENCE_UNKNOWN;
        target_visits_close(leases->visits, lease->id);
        return PRESENCE_ABSENT;
    }
    return due && target_reach_check(&leases->reach, lease, NULL) && target_files_are_written(lease)
               ? PRESENCE_GONE
               : PRESENCE_ABSENT;
}

/* As ask_presence(), by all that is known; @lease is claimed, and the files matter if it is @due.
 */
static Presence
find_presence(TargetLeases *leases, Lease *lease, gboolean due, GError **error)
{
    Presence presence = ask_presence(leases, lease, error);

    return presence == PRESENCE_ABSENT ? look_for_traces(leases, lease, due, error) : presence;
}

/* Why a lease whose time is over is still there, by what it waits for. */
static const char *const waiting_reasons[] = {
    [PRESENCE_ABSENT] = "",
    [PRESENCE_RUNNING] = "",
    [PRESENCE_COMING] = "the guest is on this host, but does not run yet",
    [PRESENCE_SHUT_OFF] = ("the guest is defined on this host: start it, or release the lease to "
                           "keep the files"),
    [PRESENCE_GONE] = ("its guest is not on this host, but the files were written to, maybe by the "
                       "guest while nobody watched: release the lease to keep them"),
    [PRESENCE_UNKNOWN] = ("libvirt does not say whether the guest is on this host, or the files "
                          "cannot be looked at"),
};

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
    draft->state = g_strdup(LEASE_MAKING);
    draft->reason = g_strdup("");
    draft->request = json_incref(request->json);
    draft->assets = assets;
    return draft;
}

GPtrArray *
target_leases_read(LeaseStore *store, GError **error)
{
    GPtrArray *all = lease_store_list(store, error);

    for (guint i = all ? all->len : 0; i-- > 0;) {
        const Lease *lease = all->pdata[i];

        if (!g_str_equal(lease->kind, TARGETS_KIND))
            g_ptr_array_remove_index(all, i);
    }
    return all;
}

GPtrArray *
target_leases_list(TargetLeases *leases, GError **error)
{
    return target_leases_read(leases->store, error);
}

/* Two requests cannot both be promised the same room. */
static gboolean
check_admitted(void *data, const Lease *lease, GError **error)
{
    TargetLeases *leases = data;
    g_autofree char *object = g_strdup_printf("guest '%s'", lease->guest_name);

    if (!maintenance_check(leases->root, object, error) ||
        !target_reach_check(&leases->reach, lease, error))
        return FALSE;
    g_autoptr(GPtrArray) all = target_leases_list(leases, error);
    if (!all)
        return FALSE;
    /* What is promised on a server that is silent is no room that this one could want. */
    target_reach_filter(&leases->reach, all);
    return target_space_check(lease, all, error);
}

static gboolean
check_guest_absent(TargetLeases *leases, const Lease *lease, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", lease->guest_name);
    g_autoptr(GError) cause = NULL;

    switch (ask_presence(leases, lease, &cause)) {
    case PRESENCE_ABSENT:
    case PRESENCE_SHUT_OFF:
    case PRESENCE_GONE:
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

/* Before anything is made: this may take long. */
static gboolean
prove_chains(TargetLeases *leases, const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!image_digest_prove(target_asset_chain(lease->assets->pdata[i]),
                                (const char *const *)leases->directories, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
make(void *data, Lease *lease, GError **error)
{
    TargetLeases *leases = data;
    g_auto(QemuConf) conf = { 0 };
    ImageOwner owner;

    qemu_conf_read(QEMU_CONF_PATH, &conf);
    image_owner_read(&conf, "", &owner);
    target_visits_expect(leases->visits, lease->id, lease->guest_uuid);
    return check_guest_absent(leases, lease, error) &&
           pool_volume_check_targets(leases->hypervisor, lease, error) &&
           prove_chains(leases, lease, error) &&
           target_files_make(leases->store, lease, &owner, error) &&
           pool_volume_show_targets(leases->hypervisor, lease, error) &&
           lease_store_settle(leases->store, lease, LEASE_READY, FAULT_TARGET_EXISTS, error);
}

static gboolean
undo(void *data, const Lease *lease, gboolean keep, GError **error)
{
    const TargetLeases *leases = data;
    g_autoptr(GError) unseen = NULL;

    target_servers_end(leases->servers, lease->id);
    if (!target_reach_check(&leases->reach, lease, error) ||
        !target_files_remove(lease, keep, error))
        return FALSE;
    target_visits_forget(leases->visits, lease->id);
    if (!keep && !pool_volume_show_targets(leases->hypervisor, lease, &unseen))
        g_info("libvirt still lists what lease %s had made: %s", lease->id, unseen->message);
    return TRUE;
}

static const LeaseWork work = {
    .busy_code = FAULT_TARGET_EXISTS,
    .check = check_admitted,
    .make = make,
    .undo = undo,
};

Lease *
target_leases_create(TargetLeases *leases, const TargetRequest *request, GError **error)
{
    g_autoptr(Lease) draft = make_draft(leases, request, error);

    return draft ? lease_book_create(&leases->book, draft, request->timeout_seconds, error) : NULL;
}

Lease *
target_leases_renew(TargetLeases *leases, const char *id, guint64 generation,
                    unsigned timeout_seconds, GError **error)
{
    return lease_book_renew(&leases->book, id, generation, timeout_seconds, error);
}

gboolean
target_leases_release(TargetLeases *leases, const char *id, guint64 generation, gboolean *ret_kept,
                      GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = lease_book_take(&leases->book, id, generation, &claim, error);
    TargetsDecision decision;
    GError *cause = NULL;

    if (!lease)
        return FALSE;
    decision = target_lease_decide(find_presence(leases, lease, TRUE, &cause), TRUE, TRUE);
    if (cause) {
        g_propagate_error(error, cause);
        return FALSE;
    }
    if (decision == TARGETS_WAIT)
        return lease_claim_busy(error, id, "its guest is coming in");
    if (!lease_book_end(&leases->book, lease, decision == TARGETS_KEEP, error))
        return FALSE;
    *ret_kept = decision == TARGETS_KEEP;
    return TRUE;
}

/* Claimed, for work on its files; FAULT_LEASE_BUSY if it is on its way out. */
static Lease *
take_ready(TargetLeases *leases, const char *id, guint64 generation, LeaseClaim *claim,
           GError **error)
{
    g_autoptr(Lease) lease = lease_book_take(&leases->book, id, generation, claim, error);

    if (lease && !g_str_equal(lease->kind, TARGETS_KIND)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, id, "name a lease of targets", "it has no files");
        return NULL;
    }
    if (lease && !lease_book_is_valid(lease)) {
        lease_claim_busy(error, id, "its files are being removed");
        return NULL;
    }
    return g_steal_pointer(&lease);
}

json_t *
target_leases_open(TargetLeases *leases, const char *id, guint64 generation, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = take_ready(leases, id, generation, &claim, error);

    if (!lease || !check_guest_absent(leases, lease, error) ||
        !target_files_fill(leases->store, lease, error))
        return NULL;
    return target_servers_open(leases->servers, lease, error);
}

gboolean
target_leases_close(TargetLeases *leases, const char *id, guint64 generation, GError **error)
{
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease = take_ready(leases, id, generation, &claim, error);

    if (!lease)
        return FALSE;
    target_servers_end(leases->servers, id);
    return target_files_seal(lease, error) && target_files_account(leases->store, lease, error);
}

/* @resumed: libvirt said that the guest ran here, which stays true if it left again since. */
static void
reconcile_lease(const char *id, gboolean resumed, void *data)
{
    TargetLeases *leases = data;
    g_auto(LeaseClaim) claim = { 0 };
    g_autoptr(Lease) lease =
        lease_book_recover(&leases->book, id, resumed ? RESUMED_USEC : RECOVER_USEC, &claim);
    g_autoptr(GError) error = NULL;
    TargetsDecision decision;
    Presence presence;
    gboolean due;

    if (!lease)
        return;
    due = !lease_book_is_valid(lease) || lease->remaining_usec <= 0;
    presence = resumed ? PRESENCE_RUNNING : find_presence(leases, lease, due, NULL);
    decision = target_lease_decide(presence, due, FALSE);
    if (due || presence == PRESENCE_RUNNING || presence == PRESENCE_COMING)
        target_servers_end(leases->servers, id); /* which would keep the guest from its files */
    if (decision != TARGETS_WAIT)
        lease_book_end(&leases->book, lease, decision == TARGETS_KEEP, &error);
    else if (due)
        lease_book_note(&leases->book, lease, waiting_reasons[presence]);
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
            lease_errands_ask(leases->errands, lease->id, resumed);
    }
}

void
target_leases_reconcile(TargetLeases *leases)
{
    reconcile_guest(leases, NULL, FALSE);
    lease_errands_await(leases->errands);
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
    case HYPERVISOR_EVENT_COMING:
    case HYPERVISOR_EVENT_RESTARTED:
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
            target_visits_listen(leases->visits);
            reconcile_guest(leases, NULL, FALSE);
            next_usec = g_get_monotonic_time() + RECONCILE_USEC;
        }
        event = hypervisor_watch_next(leases->watch, next_usec, leases->stop, NULL);
        if (event)
            handle_event(leases, event);
    }
    return NULL;
}

/* Those that an earlier daemon left. */
static void
expect_visits(TargetLeases *leases)
{
    g_autoptr(GPtrArray) all = target_leases_list(leases, NULL);

    for (guint i = 0; all && i < all->len; i++) {
        const Lease *lease = all->pdata[i];

        target_visits_expect(leases->visits, lease->id, lease->guest_uuid);
    }
}

TargetLeases *
target_leases_new(LeaseStore *store, Hypervisor *hypervisor, const char *const *directories,
                  const char *root, const char *socket_directory, const StoragePulseOps *pulse)
{
    TargetLeases *leases = g_new0(TargetLeases, 1);

    leases->store = store;
    leases->hypervisor = hypervisor;
    leases->directories = g_strdupv((char **)directories);
    leases->root = g_strdup(root);
    if (*root)
        leases->mount_info = g_strconcat(root, "/proc/self/mountinfo", NULL);
    leases->reach = (TargetReach) { storage_pulse_new(pulse), leases->mount_info };
    leases->servers = target_servers_new(socket_directory);
    leases->visits = target_visits_new(hypervisor);
    expect_visits(leases);
    lease_book_init(&leases->book, store, &work, leases);
    leases->errands = lease_errands_new(reconcile_lease, leases);
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
    lease_errands_free(leases->errands);
    g_object_unref(leases->stop);
    target_servers_free(leases->servers);
    target_visits_free(leases->visits);
    lease_book_clear(&leases->book);
    g_strfreev(leases->directories);
    g_free(leases->root);
    g_free(leases->mount_info);
    storage_pulse_free(leases->reach.pulse);
    g_free(leases);
}
