/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs the VFs of a detachment back. */
#include "netprep/replug.h"

#include "netprep/mac_path.h"

/* How long a guest may take to act on a request that it did not follow in time. */
#define WATCH_SECONDS 600

/* Once the guest has let a device go, there is no later removal to wait for. */
static gboolean
note_removal(const NetworkHost *host, const Lease *lease, const LeaseAsset *asset, GError **error)
{
    if (!g_str_equal(asset->state, ASSET_UNPLUGGING))
        return TRUE;
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, lease->guest_uuid, error);
    if (!view)
        return FALSE;
    return guest_view_find(view->live, asset->key) ||
           network_lease_mark(host->leases, lease, asset, ASSET_UNPLUGGED, error);
}

/* A device that comes back in its old form gets its MAC and VLAN from libvirt, or keeps what it
 * has. */
static PlugRequest *
make_request(const LeaseAsset *asset, GError **error)
{
    g_autoptr(PlugRequest) request = g_new0(PlugRequest, 1);

    request->vnic = network_lease_vnic(asset, error);
    if (!request->vnic)
        return NULL;
    request->function = g_strdup(asset->key);
    request->live_xml = g_strdup(json_string_value(json_object_get(asset->detail, "xml")));
    request->config_xml = g_strdup(json_string_value(json_object_get(asset->detail, "configXml")));
    request->apply_settings = request->vnic->form == VNIC_FORM_HOSTDEV;
    return g_steal_pointer(&request);
}

/* What can be plugged; of the others the first failure. */
static GPtrArray *
make_requests(const NetworkHost *host, const Lease *lease, GError **error)
{
    GPtrArray *requests = g_ptr_array_new_with_free_func((GDestroyNotify)plug_request_free);
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        g_autoptr(GError) later = NULL;
        GError **place = failure ? &later : &failure;
        PlugRequest *request = make_request(asset, place);

        if (request && note_removal(host, lease, asset, place))
            g_ptr_array_add(requests, request);
        else
            plug_request_free(request);
    }
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return requests;
}

static gboolean
removal_pending(const Lease *lease)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (g_str_equal(asset->state, ASSET_UNPLUGGING))
            return TRUE;
    }
    return FALSE;
}

/* All is back, for now: a request to let a device go cannot be taken back. */
static gboolean
finish(const NetworkHost *host, const Lease *before, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(host->leases, before->id, 0, error);

    if (!lease)
        return FALSE;
    if (!removal_pending(lease))
        return network_lease_end(host, before, BULLETIN_RETURNED, error);
    if (!lease_store_renew(host->leases, lease->id, lease->generation, WATCH_SECONDS, error) ||
        !lease_store_set_state(host->leases, lease->id, STATE_WATCHING,
                               "the guest may still let a device go that it was asked for", error))
        return FALSE;
    network_lease_announce(host, before, BULLETIN_RETURNED);
    return TRUE;
}

static void
degrade(const NetworkHost *host, const Lease *lease, const GError *failure, GError **error)
{
    g_autofree char *label = network_guest_label(lease->guest_name);

    network_lease_degrade(host, lease, failure);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, label,
              "it is retried by itself; see `migprep status`",
              "runs without some of its passthrough vNICs: %s", failure->message);
}

gboolean
replug_detachment(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    g_autoptr(GError) failure = NULL;

    g_autoptr(GPtrArray) requests = make_requests(host, lease, &failure);
    (void)plug_lease(host, job, lease, requests, failure ? NULL : &failure);
    if (failure) {
        mac_path_stay_on_virtio(host, lease);
        degrade(host, lease, failure, error);
        return FALSE;
    }
    return finish(host, lease, error);
}
