/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives back what leases hold. */
#include "netprep/release.h"

#include <string.h>

#include "netprep/guest_turn.h"
#include "netprep/mac_path.h"
#include "netprep/replug.h"

typedef struct {
    const NetworkHost *host;
    char *lease;
    guint64 generation;
    char *guest_uuid;
} Release;

static void
release_free(Release *release)
{
    g_free(release->lease);
    g_free(release->guest_uuid);
    g_free(release);
}

/* libvirt leaves an unmanaged device with vfio-pci: it is free there as well. */
static gboolean
is_unmanaged(const LeaseAsset *asset)
{
    const char *xml = json_string_value(json_object_get(asset->detail, "xml"));

    return xml && !strstr(xml, "managed=\"yes\"") && !strstr(xml, "managed='yes'");
}

static gboolean
check_unused(const Function *function, const LeaseAsset *asset, GError **error)
{
    g_autofree char *label = network_function_label(function->address);

    switch (function->state) {
    case FUNCTION_STATE_FREE:
    case FUNCTION_STATE_HOST:
    case FUNCTION_STATE_RESERVED:
    case FUNCTION_STATE_UNFIT:
        return TRUE;
    case FUNCTION_STATE_FOREIGN:
        if (is_unmanaged(asset))
            return TRUE;
        break;
    case FUNCTION_STATE_GUEST:
        break;
    }
    fault_set(error, FAULT_FUNCTION_BUSY, label, "it is tried again by itself", "%s",
              function->reason);
    return FALSE;
}

/* What never left this lease's hands, or is used by the host by now, keeps its settings. */
static gboolean
reset(const NetworkHost *host, const Function *function, const LeaseAsset *asset, GError **error)
{
    if (g_str_equal(asset->state, ASSET_RESERVED) || function->state == FUNCTION_STATE_HOST)
        return TRUE;
    return function_settings_reset(host->control, function->physical_function, function->index,
                                   error);
}

/* A guest that was shut off instead of migrated finds its vNIC at its next start. */
static gboolean
restore_config(const NetworkHost *host, const Lease *lease, const LeaseAsset *asset,
               const GuestView *view, GError **error)
{
    const char *xml = json_string_value(json_object_get(asset->detail, "configXml"));
    g_autoptr(Vnic) vnic = xml && view && view->config ? network_lease_vnic(asset, error) : NULL;

    if (!xml || !view || !view->config)
        return TRUE;
    if (!vnic || vnic_find_configured(view->config, vnic, asset->key))
        return vnic != NULL;
    return hypervisor_attach_device(host->hypervisor, lease->guest_uuid, xml, DEVICE_CONFIG, error);
}

static gboolean
release_asset(const NetworkHost *host, const FunctionInventory *inventory, const GuestView *view,
              const Lease *lease, const LeaseAsset *asset, GError **error)
{
    const Function *function = function_inventory_find(inventory, asset->key);

    if (function && (!check_unused(function, asset, error) || !reset(host, function, asset, error)))
        return FALSE;
    return restore_config(host, lease, asset, view, error) &&
           lease_store_drop_asset(host->leases, lease->id, asset->kind, asset->key, error);
}

/* NULL in *ret_view if libvirt does not know the guest. */
static gboolean
find_guest(const NetworkHost *host, const char *uuid, GuestView **ret_view, GError **error)
{
    g_autoptr(GError) failure = NULL;
    GuestView *view = guest_view_read(host->hypervisor, uuid, &failure);

    if (!view && !g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    *ret_view = view;
    return TRUE;
}

static gboolean
release_assets(const NetworkHost *host, const Lease *lease, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(host, error);
    GuestView *found = NULL;

    if (!inventory || !find_guest(host, lease->guest_uuid, &found, error))
        return FALSE;
    g_autoptr(GuestView) view = found;
    if (!mac_path_to_function(host, lease, error))
        return FALSE;
    for (guint i = 0; i < lease->assets->len; i++) {
        if (!release_asset(host, inventory, view, lease, lease->assets->pdata[i], error))
            return FALSE;
    }
    return TRUE;
}

gboolean
release_functions(const NetworkHost *host, const Lease *lease, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GError) unrecorded = NULL;

    if (release_assets(host, lease, &failure))
        return lease_store_remove(host->leases, lease->id, error);
    if (!lease_store_set_state(host->leases, lease->id, STATE_DEGRADED, failure->message,
                               &unrecorded))
        g_warning("lease %s: cannot record that it is degraded: %s", lease->id,
                  unrecorded->message);
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static json_t *
outcome(const char *name)
{
    return json_pack("{s:s}", "outcome", name);
}

static gboolean
refuse_moving(const Lease *lease, GError **error)
{
    g_autofree char *label = network_guest_label(lease->guest_name);

    fault_set(error, FAULT_GUEST_BUSY, label, "try again when its migration ended or was aborted",
              "is being migrated or is paused, which decides who gets its VFs");
    return FALSE;
}

static json_t *
release_detachment(const NetworkHost *host, const Lease *lease, const GuestView *view,
                   GError **error)
{
    if (!view || !guest_view_is_active(view))
        return release_functions(host, lease, error) ? outcome("freed") : NULL;
    if (view->guest->has_job || view->guest->state != GUEST_STATE_RUNNING) {
        refuse_moving(lease, error);
        return NULL;
    }
    return replug_detachment(host, NULL, lease, error) ? outcome("returned") : NULL;
}

/* Those that are in the guest are its own; the lease is asked to let go of the others. */
static json_t *
release_arrived(const NetworkHost *host, const Lease *lease, const GuestView *view, GError **error)
{
    gboolean kept = g_str_equal(lease->state, STATE_ATTACHED);

    if (!mac_path_to_function(host, lease, error))
        return NULL;
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!guest_view_find(view->live, asset->key))
            continue;
        if (!lease_store_drop_asset(host->leases, lease->id, asset->kind, asset->key, error))
            return NULL;
        kept = TRUE;
    }
    g_autoptr(Lease) rest = lease_store_get(host->leases, lease->id, 0, error);
    if (!rest || !release_functions(host, rest, error))
        return NULL;
    return outcome(kept ? "returned" : "freed");
}

static json_t *
release_reservation(const NetworkHost *host, const Lease *lease, const GuestView *view,
                    GError **error)
{
    if (!view || !guest_view_is_active(view))
        return release_functions(host, lease, error) ? outcome("freed") : NULL;
    if (view->guest->state != GUEST_STATE_RUNNING) {
        refuse_moving(lease, error);
        return NULL;
    }
    return release_arrived(host, lease, view, error);
}

static json_t *
give_back(Job *job, void *data, GError **error)
{
    const Release *release = data;
    g_autoptr(Lease) lease =
        lease_store_get(release->host->leases, release->lease, release->generation, error);
    GuestView *found = NULL;

    if (!lease || !find_guest(release->host, lease->guest_uuid, &found, error))
        return NULL;
    g_autoptr(GuestView) view = found;
    network_progress(job, "release", NULL, NULL);
    if (g_str_equal(lease->kind, LEASE_DETACHMENT))
        return release_detachment(release->host, lease, view, error);
    return release_reservation(release->host, lease, view, error);
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const Release *release = data;

    network_progress(job, "wait", NULL, "for other work on the guest");
    return guest_turn_run(release->host, "GiveBack", release->guest_uuid, give_back, data, error);
}

Job *
release_start(const NetworkHost *host, const char *id, guint64 generation, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(host->leases, id, generation, error);

    if (!lease)
        return NULL;
    Release *release = g_new0(Release, 1);
    release->host = host;
    release->lease = g_strdup(id);
    release->generation = generation;
    release->guest_uuid = g_strdup(lease->guest_uuid);
    return job_start(host->jobs, "Release", id, run, release, (GDestroyNotify)release_free, error);
}
