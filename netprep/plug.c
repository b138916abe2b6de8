/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs one VF into a running guest. */
#include "netprep/plug.h"

#include "netprep/bond.h"

/* libvirt may still be busy with a device that it just reported gone, or with the end of a
 * migration; these pass within a second or two. */
#define TRIES         3
#define PAUSE_SECONDS 2

static gboolean
check_free(const NetworkHost *host, const char *address, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(host, error);
    g_autofree char *label = network_function_label(address);

    if (!inventory)
        return FALSE;
    const Function *function = function_inventory_find(inventory, address);
    if (function && function->state == FUNCTION_STATE_FREE)
        return TRUE;
    fault_set(error, FAULT_FUNCTION_BUSY, label, "free it, or release its lease and reserve again",
              "was reserved, but is in use by %s",
              function ? function->holder : "nobody: it is gone");
    return FALSE;
}

static gboolean
apply_settings(const NetworkHost *host, const PlugRequest *request, GError **error)
{
    g_autoptr(GHashTable) nobody = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(FunctionInventory) inventory = function_inventory_read(host->sysfs, nobody);
    const Function *function = function_inventory_find(inventory, request->function);
    g_autofree char *label = network_function_label(request->function);

    if (!request->settings)
        return TRUE;
    if (!function) {
        fault_set(error, FAULT_FUNCTION_FAILED, label, "check sriov_numvfs of its PF",
                  "this host does not have it any more");
        return FALSE;
    }
    return function_settings_apply(host->control, function->physical_function, function->index,
                                   request->settings, request->clear_mac, error);
}

static gboolean
plug_live(const NetworkHost *host, const GuestView *view, const PlugRequest *request,
          GError **error)
{
    if (guest_view_find(view->live, request->function))
        return TRUE;
    if (request->check_free && !check_free(host, request->function, error))
        return FALSE;
    return apply_settings(host, request, error) &&
           hypervisor_attach_device(host->hypervisor, request->guest_uuid, request->live_xml,
                                    DEVICE_LIVE, error);
}

static gboolean
plug_config(const NetworkHost *host, const GuestView *view, const PlugRequest *request,
            GError **error)
{
    if (!request->config_xml || !view->config ||
        guest_view_find_configured(view->config, request->function, request->mac))
        return TRUE;
    return hypervisor_attach_device(host->hypervisor, request->guest_uuid, request->config_xml,
                                    DEVICE_CONFIG, error);
}

static gboolean
plug_once(const NetworkHost *host, Job *job, const PlugRequest *request, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, request->guest_uuid, error);

    if (!view || !guest_view_check_running(view, error))
        return FALSE;
    network_progress(job, "plug", NULL, request->function);
    if (!plug_live(host, view, request, error) || !plug_config(host, view, request, error))
        return FALSE;
    if (!request->bond || !request->guest_path)
        return TRUE;
    network_progress(job, "join", "guest", request->function);
    BondAccess access = bond_access(host, view, job ? job_cancellable(job) : NULL);
    return bond_join(&access, request->bond, request->guest_path, host->config->attach_seconds,
                     error);
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

gboolean
plug_function(const NetworkHost *host, Job *job, const PlugRequest *request, GError **error)
{
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(host->hypervisor, request->guest_uuid);

    for (unsigned try = 1;; try++) {
        g_autoptr(GError) failure = NULL;

        if (plug_once(host, job, request, &failure))
            return TRUE;
        if (try == TRIES || !may_pass(failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        gint64 deadline = g_get_monotonic_time() + PAUSE_SECONDS * G_USEC_PER_SEC;
        g_autoptr(HypervisorEvent) event =
            hypervisor_watch_next(watch, deadline, job ? job_cancellable(job) : NULL, NULL);
    }
}
