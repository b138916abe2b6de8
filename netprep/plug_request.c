/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes requests from leases. */
#include "netprep/plug_request.h"

#include "netprep/vnic_device.h"

typedef struct {
    const NetworkHost *host;
    const Lease *lease;
    GPtrArray *networks; /* libvirt's; NULL: not asked for yet */
} Maker;

void
plug_request_free(PlugRequest *request)
{
    if (!request)
        return;
    g_free(request->function);
    vnic_free(request->vnic);
    g_free(request->live_xml);
    g_free(request->config_xml);
    g_strfreev(request->replaced);
    g_free(request);
}

/* Once the guest has let a device go, there is no later removal to wait for. */
static gboolean
note_removal(const Maker *maker, const LeaseAsset *asset, GError **error)
{
    const NetworkHost *host = maker->host;

    if (!g_str_equal(asset->state, ASSET_UNPLUGGING))
        return TRUE;
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, maker->lease->guest_uuid, error);
    if (!view)
        return FALSE;
    return guest_view_find(view->live, asset->key) ||
           network_lease_mark(host->leases, maker->lease, asset, ASSET_UNPLUGGED, error);
}

/* A device that comes back in its old form gets its MAC and VLAN from libvirt, or keeps what it
 * has. */
static gboolean
fill_returning(const Maker *maker, const LeaseAsset *asset, PlugRequest *request, GError **error)
{
    request->live_xml = g_strdup(json_string_value(json_object_get(asset->detail, "xml")));
    request->config_xml = g_strdup(json_string_value(json_object_get(asset->detail, "configXml")));
    request->apply_settings = request->vnic->form == VNIC_FORM_HOSTDEV;
    return note_removal(maker, asset, error);
}

static gboolean
write_config(Maker *maker, const LeaseAsset *asset, PlugRequest *request, GError **error)
{
    if (!request->vnic->configuration)
        return TRUE;
    if (!maker->networks)
        maker->networks = hypervisor_list_networks(maker->host->hypervisor, error);
    if (!maker->networks)
        return FALSE;
    request->config_xml = vnic_device_config(request->vnic, asset->key, maker->networks, error);
    return request->config_xml != NULL;
}

static gboolean
fill_new(Maker *maker, const LeaseAsset *asset, PlugRequest *request, GError **error)
{
    request->live_xml = vnic_device_live(request->vnic, asset->key, error);
    request->replaced = network_lease_replaced(asset);
    request->apply_settings = request->check_free = TRUE;
    request->hand_over = request->vnic->path == VNIC_PATH_BOND;
    return request->live_xml && write_config(maker, asset, request, error) &&
           network_lease_mark(maker->host->leases, maker->lease, asset, ASSET_CONFIGURED, error);
}

static PlugRequest *
make_request(Maker *maker, const LeaseAsset *asset, GError **error)
{
    g_autoptr(PlugRequest) request = g_new0(PlugRequest, 1);

    request->function = g_strdup(asset->key);
    request->vnic = network_lease_vnic(asset, error);
    if (!request->vnic)
        return NULL;
    gboolean filled = network_lease_had(asset) ? fill_returning(maker, asset, request, error)
                                               : fill_new(maker, asset, request, error);
    return filled ? g_steal_pointer(&request) : NULL;
}

GPtrArray *
plug_requests_of(const NetworkHost *host, const Lease *lease, GError **ret_failure)
{
    GPtrArray *requests = g_ptr_array_new_with_free_func((GDestroyNotify)plug_request_free);
    Maker maker = { .host = host, .lease = lease };
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < lease->assets->len; i++) {
        g_autoptr(GError) later = NULL;
        PlugRequest *request =
            make_request(&maker, lease->assets->pdata[i], first ? &later : &first);

        if (request)
            g_ptr_array_add(requests, request);
    }
    g_clear_pointer(&maker.networks, g_ptr_array_unref);
    if (first)
        g_propagate_error(ret_failure, g_steal_pointer(&first));
    return requests;
}
