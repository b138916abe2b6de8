/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job behind Detach: plan, record, do, or undo. */
#include "netprep/unplug.h"

#include "common/parallel.h"
#include "netprep/backup_proof.h"
#include "netprep/mac_path.h"
#include "netprep/migration_hooks.h"
#include "netprep/pool_port.h"
#include "netprep/removal_wait.h"
#include "netprep/replug.h"
#include "netprep/vnic_path.h"

/*
 * Theory of operation. Planning changes nothing: it reads libvirt, the VF settings and the guest's
 * report, and refuses unless each vNIC can be done without. Then the lease is written, with all
 * that the way back needs, and only then the guest is touched: its own hooks run, its bonds are
 * told to use VirtIO (proven by reading back and by the guest's answer through it), the VFs are
 * unplugged, all at once, and taken out of the configuration. Every failure from the record on
 * takes the way that a restarted daemon would take: replug_detachment().
 */
typedef struct {
    const NetworkHost *host;
    Job *job; /* borrowed: the one that runs this */
    char *owner;
    char *token;
    char *guest_uuid;
    unsigned timeout_seconds;
    GuestView *view;
    GPtrArray *vnics;  /* of Vnic *, to be unplugged */
    json_t *staying;   /* those that are not, as JSON */
    GPtrArray *proofs; /* of BackupProof *, one for each vNIC */
    Lease *lease;
} Unplug;

static void
unplug_free(Unplug *unplug)
{
    g_free(unplug->owner);
    g_free(unplug->token);
    g_free(unplug->guest_uuid);
    guest_view_free(unplug->view);
    g_clear_pointer(&unplug->vnics, g_ptr_array_unref);
    json_decref(unplug->staying);
    g_clear_pointer(&unplug->proofs, g_ptr_array_unref);
    lease_free(unplug->lease);
    g_free(unplug);
}

static json_t *
result(const Lease *lease)
{
    json_t *vnics = json_array();

    json_array_extend(vnics, json_object_get(lease->request, "staying"));
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        json_array_append(vnics, json_object_get(asset->detail, "vnic"));
    }
    return json_pack("{s:o, s:o}", "lease", network_lease_to_json(lease), "vnics", vnics);
}

static gboolean
check_idle(const GuestView *view, GError **error)
{
    g_autofree char *label = network_guest_label(view->guest->name);

    if (!view->guest->has_job)
        return TRUE;
    fault_set(error, FAULT_GUEST_BUSY, label, "wait until it ended, or abort it",
              "a libvirt job (migration, save or dump) runs on it");
    return FALSE;
}

/* Those that travel by themselves are only told of. */
static void
set_aside(Unplug *unplug)
{
    for (guint i = 0; i < unplug->vnics->len;) {
        if (vnic_path_unplugs(unplug->vnics->pdata[i])) {
            i++;
            continue;
        }
        json_array_append_new(unplug->staying, vnic_to_json(unplug->vnics->pdata[i]));
        g_ptr_array_remove_index(unplug->vnics, i);
    }
}

/* One vNIC can be done without: it has a backup that leads to the same network. */
static gboolean
check_vnic(Unplug *unplug, const GuestNeighbourhood *neighbourhood, GuestReport *report, Vnic *vnic,
           GError **error)
{
    const DomainXml *live = unplug->view->live;

    if (!vnic_path_prove(report, live, vnic, error))
        return FALSE;
    BackupProof *proof = backup_proof_new(unplug->host, neighbourhood, report, live, vnic);
    g_ptr_array_add(unplug->proofs, proof);
    return backup_proof_check_uplink(proof, unplug->host, vnic, job_cancellable(unplug->job),
                                     error);
}

static gboolean
check_vnics(Unplug *unplug, GError **error)
{
    unplug->proofs = g_ptr_array_new_with_free_func((GDestroyNotify)backup_proof_free);
    if (unplug->vnics->len == 0)
        return TRUE;
    BondAccess access = bond_access(unplug->host, unplug->view, job_cancellable(unplug->job));
    g_autoptr(GuestReport) report = bond_report(&access, error);
    g_autoptr(GuestNeighbourhood) neighbourhood =
        report ? guest_neighbourhood_read(&access, error) : NULL;

    for (guint i = 0; neighbourhood && i < unplug->vnics->len; i++) {
        if (!check_vnic(unplug, neighbourhood, report, unplug->vnics->pdata[i], error))
            return FALSE;
    }
    return neighbourhood != NULL;
}

static gboolean
plan(Unplug *unplug, GError **error)
{
    network_progress(unplug->job, "check", "guest", NULL);
    unplug->view = guest_view_read(unplug->host->hypervisor, unplug->guest_uuid, error);
    if (!unplug->view || !guest_view_check_running(unplug->view, error) ||
        !check_idle(unplug->view, error))
        return FALSE;
    unplug->vnics = vnics_describe(unplug->host, unplug->view, error);
    if (!unplug->vnics)
        return FALSE;
    set_aside(unplug);
    return check_vnics(unplug, error);
}

static const DomainPassthrough *
find_configured(const GuestView *view, const Vnic *vnic)
{
    return vnic_find_configured(view->config, vnic, vnic->function);
}

static LeaseAsset *
make_asset(const Unplug *unplug, const Vnic *vnic)
{
    const DomainPassthrough *live = guest_view_find(unplug->view->live, vnic->function);
    const DomainPassthrough *configured = find_configured(unplug->view, vnic);

    return lease_asset_new(ASSET_FUNCTION, vnic->function, ASSET_ATTACHED,
                           json_pack("{s:o, s:s, s:s?}", "vnic", vnic_to_json(vnic), "xml",
                                     live->xml, "configXml", configured ? configured->xml : NULL));
}

static gboolean
record(Unplug *unplug, GError **error)
{
    const Guest *guest = unplug->view->guest;
    gboolean existing = FALSE;
    g_autoptr(Lease) draft = network_lease_draft(
        LEASE_DETACHMENT, unplug->owner, unplug->token, guest->name, guest->uuid, STATE_DETACHING,
        json_pack("{s:s, s:O}", "guest", guest->uuid, "staying", unplug->staying));

    for (guint i = 0; i < unplug->vnics->len; i++)
        g_ptr_array_add(draft->assets, make_asset(unplug, unplug->vnics->pdata[i]));
    unplug->lease = lease_store_create(unplug->host->leases, draft, unplug->timeout_seconds,
                                       FAULT_FUNCTION_BUSY, &existing, error);
    return unplug->lease != NULL;
}

/* A team uses its VirtIO half only once the VF is gone, so the guest cannot answer by it before. */
static gboolean
move_vnic(guint index, void *data, GError **error)
{
    const Unplug *unplug = data;
    const Vnic *vnic = unplug->vnics->pdata[index];
    BondAccess access = bond_access(unplug->host, unplug->view, job_cancellable(unplug->job));

    return vnic->path == VNIC_PATH_TEAMING ||
           (bond_use(&access, vnic->bond, vnic->backup, error) &&
            backup_proof_check_guest(unplug->proofs->pdata[index], unplug->host, vnic,
                                     access.cancellable, error));
}

static gboolean
move_traffic(Unplug *unplug, GError **error)
{
    network_progress(unplug->job, "switch", "guest", NULL);
    return parallel_run(unplug->vnics->len, move_vnic, unplug, error);
}

/* Asks for all before waiting for any: the guest takes some seconds for each. */
static gboolean
ask_guest(const Unplug *unplug, RemovalWait *wait, GError **error)
{
    for (guint i = 0; i < unplug->vnics->len; i++) {
        const Vnic *vnic = unplug->vnics->pdata[i];
        const LeaseAsset *asset = lease_find_asset(unplug->lease, ASSET_FUNCTION, vnic->function);

        if (!network_lease_mark(unplug->host->leases, unplug->lease, asset, ASSET_UNPLUGGING,
                                error))
            return FALSE;
        removal_wait_add(wait, vnic->alias, vnic->function);
        if (!hypervisor_detach_device(unplug->host->hypervisor, unplug->guest_uuid, vnic->alias,
                                      DEVICE_LIVE, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
record_unplugged(const Unplug *unplug, GError **error)
{
    for (guint i = 0; i < unplug->lease->assets->len; i++) {
        if (!network_lease_mark(unplug->host->leases, unplug->lease,
                                unplug->lease->assets->pdata[i], ASSET_UNPLUGGED, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
unplug_devices(const Unplug *unplug, GError **error)
{
    /* Before the guest is asked, so that no answer is missed. */
    g_autoptr(RemovalWait) wait = removal_wait_new(unplug->host->hypervisor, unplug->view->guest);

    network_progress(unplug->job, "unplug", "guest", NULL);
    if (!ask_guest(unplug, wait, error))
        return FALSE;
    gint64 deadline =
        g_get_monotonic_time() + (gint64)unplug->host->config->unplug_seconds * G_USEC_PER_SEC;
    return removal_wait_finish(wait, deadline, job_cancellable(unplug->job), error) &&
           record_unplugged(unplug, error);
}

/* Else the guest would be defined on its next host with a VF of this one. */
static gboolean
unplug_from_config(const Unplug *unplug, GError **error)
{
    for (guint i = 0; i < unplug->vnics->len; i++) {
        const DomainPassthrough *configured =
            find_configured(unplug->view, unplug->vnics->pdata[i]);

        if (configured && !hypervisor_detach_device(unplug->host->hypervisor, unplug->guest_uuid,
                                                    configured->xml, DEVICE_CONFIG, error))
            return FALSE;
    }
    return TRUE;
}

/* libvirt takes a VF that came from a pool back into it with the device. */
static void
hold_in_pools(const Unplug *unplug)
{
    g_autoptr(GError) error = NULL;

    if (!pool_ports_hold(unplug->host, unplug->lease, &error))
        g_warning("%s", error->message);
}

static Lease *
finish(const Unplug *unplug, GError **error)
{
    if (!lease_store_set_state(unplug->host->leases, unplug->lease->id, STATE_DETACHED, "", error))
        return NULL;
    network_lease_announce(unplug->host, unplug->lease, BULLETIN_DETACHED);
    hold_in_pools(unplug);
    return lease_store_get(unplug->host->leases, unplug->lease->id, 0, error);
}

/* The caller gets its error; what could not be put back comes first, since it matters more. */
static void
undo(const Unplug *unplug, GError *failure, GError **error)
{
    g_autoptr(GError) incomplete = NULL;
    g_autoptr(GError) gone = NULL;
    g_autoptr(Lease) lease = lease_store_get(unplug->host->leases, unplug->lease->id, 0, &gone);

    network_progress(unplug->job, "undo", NULL, failure->message);
    /* Not with the job: its cancellation must not stop the way back. */
    if (lease && replug_detachment(unplug->host, NULL, lease, &incomplete)) {
        g_propagate_error(error, failure);
        return;
    }
    g_autoptr(GError) cause = failure;
    const GError *worse = incomplete ? incomplete : gone;
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, fault_object(worse), fault_remedy(worse),
              "%s; this was undone after: %s", fault_cause(worse), cause->message);
}

/* Before the VFs go, so that the card never lacks a place for the guest's frames; and after, since
 * the bridge may have learned from the last ones that the VFs sent. */
static gboolean
lead_to_virtio(const Unplug *unplug, GError **error)
{
    return mac_path_to_virtio(unplug->host, unplug->lease, error);
}

static json_t *
carry_out(Unplug *unplug, GError **error)
{
    GError *failure = NULL;

    if (migration_hooks_before(unplug->host, unplug->job, unplug->lease, &failure) &&
        move_traffic(unplug, &failure) && lead_to_virtio(unplug, &failure) &&
        unplug_devices(unplug, &failure) && lead_to_virtio(unplug, &failure) &&
        unplug_from_config(unplug, &failure)) {
        g_autoptr(Lease) lease = finish(unplug, &failure);
        if (lease)
            return result(lease);
    }
    undo(unplug, failure, error);
    return NULL;
}

/* What an earlier Detach of this guest left: the answer to a repeat; or a lease that only watches,
 * which this new request makes pointless. */
static gboolean
look_back(const Unplug *unplug, Lease **ret_lease, GError **error)
{
    g_autoptr(GPtrArray) leases = lease_store_list(unplug->host->leases, error);

    if (!leases)
        return FALSE;
    *ret_lease = NULL;
    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        if (!g_str_equal(lease->guest_uuid, unplug->guest_uuid))
            continue;
        if (network_lease_is(lease, LEASE_DETACHMENT, STATE_WATCHING)) {
            if (!lease_store_remove(unplug->host->leases, lease->id, error))
                return FALSE;
        } else if (network_lease_is(lease, LEASE_DETACHMENT, STATE_DETACHED) &&
                   g_str_equal(lease->owner, unplug->owner) &&
                   g_str_equal(lease->token, unplug->token)) {
            *ret_lease = lease_copy(lease);
        }
    }
    return TRUE;
}

static json_t *
run(Job *job, void *data, GError **error)
{
    Unplug *unplug = data;
    Lease *found = NULL;

    unplug->job = job;
    if (!look_back(unplug, &found, error))
        return NULL;
    g_autoptr(Lease) known = found;
    if (known)
        return result(known);
    if (!plan(unplug, error) || !record(unplug, error))
        return NULL;
    return carry_out(unplug, error);
}

Job *
unplug_start(const NetworkHost *host, const char *owner, const char *token, const char *guest,
             unsigned timeout_seconds, GError **error)
{
    g_autoptr(Guest) known = hypervisor_get_guest(host->hypervisor, guest, error);

    if (!known)
        return NULL;
    Unplug *unplug = g_new0(Unplug, 1);
    unplug->host = host;
    unplug->owner = g_strdup(owner);
    unplug->token = g_strdup(token);
    unplug->guest_uuid = g_strdup(known->uuid);
    unplug->timeout_seconds = timeout_seconds;
    unplug->staying = json_array();
    return job_start(host->jobs, "Detach", known->uuid, run, unplug, (GDestroyNotify)unplug_free,
                     error);
}
