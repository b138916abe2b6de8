/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs VFs into a running guest. */
#include "netprep/plug.h"

#include "common/parallel.h"
#include "netprep/mac_path.h"
#include "netprep/vnic_path.h"

/* libvirt may still be busy with a device that it just reported gone, or with the end of a
 * migration; these pass within a second or two. */
#define TRIES         3
#define PAUSE_SECONDS 2

/* All that one call works on. */
typedef struct {
    const NetworkHost *host;
    Job *job; /* may be NULL */
    const char *guest_uuid;
    const GPtrArray *requests; /* of PlugRequest *, each in a thread of its own */
    GMutex libvirt_turn;       /* held while libvirt gives the guest a device */
} Batch;

/* libvirt would take the VF from whoever on this host uses it, without a word. */
static gboolean
may_take(const PlugRequest *request, const Function *function)
{
    if (request->check_free)
        return function && function->state == FUNCTION_STATE_FREE;
    return !function || function->state != FUNCTION_STATE_HOST;
}

static gboolean
check_unused(const NetworkHost *host, const PlugRequest *request, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(host, error);
    g_autofree char *label = network_function_label(request->function);

    if (!inventory)
        return FALSE;
    const Function *function = function_inventory_find(inventory, request->function);
    if (may_take(request, function))
        return TRUE;
    fault_set(error, FAULT_FUNCTION_BUSY, label,
              "free it, or another one of its physical network; it is tried again by itself",
              "was held for the guest, but %s",
              function ? function->reason : "this host does not have it any more");
    return FALSE;
}

/* The MAC that the guest's bond had on its last VF, but only if libvirt gave it to the guest as
 * well: a guest may choose any. */
static char *
trusted_mac(const GuestView *view, const PlugRequest *request)
{
    g_autofree char *mac = function_mac_to_text(request->vnic->settings.mac);

    for (guint i = 0; mac && i < view->live->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = view->live->virtio_nics->pdata[i];

        if (g_strcmp0(nic->mac, mac) == 0)
            return g_steal_pointer(&mac);
    }
    return g_strdup(request->vnic->mac);
}

static gboolean
hand_over(const NetworkHost *host, const GuestView *view, const PlugRequest *request,
          const Function *function, GError **error)
{
    g_autofree char *mac = trusted_mac(view, request);
    FunctionHandover technique = FUNCTION_HANDOVER_GUEST_MAC;

    if (!function_settings_prepare_handover(host->control, function->physical_function,
                                            function->index, &request->vnic->settings, mac,
                                            &technique, error))
        return FALSE;
    if (technique == FUNCTION_HANDOVER_ADMIN_MAC)
        g_message("VF %s gets MAC address %s from its PF, whose driver does not leave it to the "
                  "guest: its traffic pauses until the guest has taken the VF",
                  function->address, mac);
    return TRUE;
}

static gboolean
set_up(const NetworkHost *host, const GuestView *view, const PlugRequest *request,
       const Function *function, GError **error)
{
    gboolean plugged = guest_view_find(view->live, request->function) != NULL;

    if (request->hand_over && !plugged)
        return hand_over(host, view, request, function, error);
    if (request->hand_over)
        return function_settings_resume_handover(host->control, function->physical_function,
                                                 function->index, &request->vnic->settings, error);
    return function_settings_apply(host->control, function->physical_function, function->index,
                                   &request->vnic->settings, FALSE, error);
}

static gboolean
apply_settings(const NetworkHost *host, const GuestView *view, const PlugRequest *request,
               GError **error)
{
    g_autofree char *label = network_function_label(request->function);

    if (!request->apply_settings)
        return TRUE;
    g_autoptr(FunctionInventory) inventory = function_inventory_read(host->sysfs, NULL, error);
    if (!inventory)
        return FALSE;
    const Function *function = function_inventory_find(inventory, request->function);
    if (!function) {
        fault_set(error, FAULT_FUNCTION_FAILED, label, "check sriov_numvfs of its PF",
                  "this host does not have it any more");
        return FALSE;
    }
    return set_up(host, view, request, function, error);
}

/* What must be so before the guest sees the device. One that it has may have been given to it by
 * its configuration at its start, with the card's default settings. */
static gboolean
prepare(const Batch *batch, const GuestView *view, const PlugRequest *request, GError **error)
{
    if (!guest_view_find(view->live, request->function) &&
        !check_unused(batch->host, request, error))
        return FALSE;
    return apply_settings(batch->host, view, request, error);
}

static gboolean
plug_live(const Batch *batch, const GuestView *view, const PlugRequest *request, GError **error)
{
    return guest_view_find(view->live, request->function) ||
           hypervisor_attach_device(batch->host->hypervisor, batch->guest_uuid, request->live_xml,
                                    DEVICE_LIVE, error);
}

/* The configuration may have been written before the VF was lost. */
static gboolean
drop_replaced(const Batch *batch, const GuestView *view, const PlugRequest *request,
              gboolean *ret_dropped, GError **error)
{
    gboolean dropped = FALSE;

    for (char **address = request->replaced; address && *address; address++) {
        const DomainPassthrough *device = guest_view_find(view->config, *address);

        if (!device)
            continue;
        if (!hypervisor_detach_device(batch->host->hypervisor, batch->guest_uuid, device->xml,
                                      DEVICE_CONFIG, error))
            return FALSE;
        dropped = TRUE;
    }
    *ret_dropped = dropped;
    return TRUE;
}

static gboolean
plug_config(const Batch *batch, const GuestView *view, const PlugRequest *request, GError **error)
{
    gboolean dropped = FALSE;

    if (!request->config_xml || !view->config)
        return TRUE;
    if (!drop_replaced(batch, view, request, &dropped, error))
        return FALSE;
    if (!dropped && vnic_find_configured(view->config, request->vnic, request->function))
        return TRUE;
    return hypervisor_attach_device(batch->host->hypervisor, batch->guest_uuid, request->config_xml,
                                    DEVICE_CONFIG, error);
}

static gboolean
join(const Batch *batch, const GuestView *view, const PlugRequest *request, GError **error)
{
    network_progress(batch->job, "join", "guest", request->function);
    BondAccess access =
        bond_access(batch->host, view, batch->job ? job_cancellable(batch->job) : NULL);
    return vnic_path_join(&access, request->vnic, batch->host->config->attach_seconds, error);
}

static gboolean
plug_once(Batch *batch, const PlugRequest *request, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(batch->host->hypervisor, batch->guest_uuid, error);

    if (!view || !guest_view_check_running(view, error))
        return FALSE;
    network_progress(batch->job, "plug", NULL, request->function);
    if (!prepare(batch, view, request, error))
        return FALSE;
    g_mutex_lock(&batch->libvirt_turn);
    gboolean plugged =
        plug_live(batch, view, request, error) && plug_config(batch, view, request, error);
    g_mutex_unlock(&batch->libvirt_turn);
    return plugged && join(batch, view, request, error);
}

/* A time-out has used up the patience already; what is wrong with the request stays wrong. */
static gboolean
may_pass(const GError *error)
{
    return g_error_matches(error, FAULT, FAULT_HYPERVISOR_FAILED) ||
           g_error_matches(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE) ||
           g_error_matches(error, FAULT, FAULT_FUNCTION_BUSY) ||
           g_error_matches(error, FAULT, FAULT_GUEST_BUSY) ||
           g_error_matches(error, FAULT, FAULT_AGENT_UNAVAILABLE);
}

static gboolean
plug_patiently(Batch *batch, const PlugRequest *request, GError **error)
{
    g_autoptr(HypervisorWatch) watch =
        hypervisor_watch_new(batch->host->hypervisor, batch->guest_uuid);
    GCancellable *cancellable = batch->job ? job_cancellable(batch->job) : NULL;

    for (unsigned try = 1;; try++) {
        g_autoptr(GError) failure = NULL;

        if (plug_once(batch, request, &failure))
            return TRUE;
        if (try == TRIES || !may_pass(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        gint64 deadline = g_get_monotonic_time() + PAUSE_SECONDS * G_USEC_PER_SEC;
        g_autoptr(HypervisorEvent) event =
            hypervisor_watch_next(watch, deadline, cancellable, NULL);
    }
}

static gboolean
run(guint index, void *data, GError **error)
{
    Batch *batch = data;

    return plug_patiently(batch, batch->requests->pdata[index], error);
}

gboolean
plug_functions(const NetworkHost *host, Job *job, const char *guest_uuid, const GPtrArray *requests,
               GError **error)
{
    Batch batch = { .host = host, .job = job, .guest_uuid = guest_uuid, .requests = requests };

    g_mutex_init(&batch.libvirt_turn);
    gboolean plugged = parallel_run(requests->len, run, &batch, error);
    g_mutex_clear(&batch.libvirt_turn);
    return plugged;
}

/* What could not even be asked for comes first in the order of failures. */
static gboolean
plug_requests(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    g_autoptr(GError) first = NULL, later = NULL;
    g_autoptr(GPtrArray) requests = plug_requests_of(host, lease, &first);

    (void)plug_functions(host, job, lease->guest_uuid, requests, first ? &later : &first);
    if (!first)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

gboolean
plug_lease(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    gboolean again = g_str_equal(lease->state, STATE_DEGRADED);

    if (again && !mac_path_to_function(host, lease, error))
        return FALSE;
    return plug_requests(host, job, lease, error) && mac_path_to_function(host, lease, error);
}
