/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches reserved VFs to the guest they were reserved for. */
#include "netprep/attach.h"

#include "netprep/bond.h"
#include "netprep/mac_path.h"

static void
set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

/* For the running guest: a plain device, whose MAC is the guest's affair; but the halves of a team
 * find each other by their MAC, so libvirt sets that, and with it the VLAN. */
static char *
live_xml(const LeaseAsset *asset, const Vnic *vnic, GError **error)
{
    g_autoptr(VnicShape) shape =
        vnic->configuration ? vnic_shape_copy(vnic->configuration) : g_new0(VnicShape, 1);
    gboolean team = vnic->path == VNIC_PATH_TEAMING;

    shape->form = team ? VNIC_FORM_INTERFACE : VNIC_FORM_HOSTDEV;
    shape->vlan = vnic->settings.vlan;
    set_text(&shape->mac, vnic->mac);
    set_text(&shape->teaming, vnic->teaming);
    set_text(&shape->alias, vnic->alias);
    set_text(&shape->guest_address, vnic->guest_address);
    return vnic_shape_build(shape, asset->key, error);
}

static gboolean
has_pool(const GPtrArray *networks, const char *name)
{
    for (guint i = 0; i < networks->len; i++) {
        const HypervisorNetwork *network = networks->pdata[i];

        if (network->functions && g_str_equal(network->name, name))
            return TRUE;
    }
    return FALSE;
}

/* For its next start: as the administrator wrote it. A libvirt network chooses a VF then; where
 * there is none of that name, the guest gets this one. */
static char *
config_xml(const LeaseAsset *asset, const Vnic *vnic, const GPtrArray *networks, GError **error)
{
    g_autoptr(VnicShape) shape = vnic_shape_copy(vnic->configuration);

    if (shape->form == VNIC_FORM_NETWORK && !has_pool(networks, shape->network))
        shape->form = VNIC_FORM_INTERFACE;
    if (!shape->guest_address)
        shape->guest_address = g_strdup(vnic->guest_address);
    return vnic_shape_build(shape, asset->key, error);
}

static PlugRequest *
make_request(const LeaseAsset *asset, const GPtrArray *networks, GError **error)
{
    g_autoptr(PlugRequest) request = g_new0(PlugRequest, 1);

    request->vnic = network_lease_vnic(asset, error);
    if (!request->vnic)
        return NULL;
    request->function = g_strdup(asset->key);
    request->live_xml = live_xml(asset, request->vnic, error);
    if (!request->live_xml)
        return NULL;
    if (request->vnic->configuration) {
        request->config_xml = config_xml(asset, request->vnic, networks, error);
        if (!request->config_xml)
            return NULL;
    }
    request->apply_settings = request->check_free = TRUE;
    request->hand_over = request->vnic->path == VNIC_PATH_BOND;
    return g_steal_pointer(&request);
}

/* What can be plugged; of the others the first failure. */
static GPtrArray *
make_requests(const NetworkHost *host, const Lease *lease, const GPtrArray *networks,
              GError **error)
{
    GPtrArray *requests = g_ptr_array_new_with_free_func((GDestroyNotify)plug_request_free);
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        g_autoptr(GError) later = NULL;
        GError **place = failure ? &later : &failure;
        PlugRequest *request = make_request(asset, networks, place);

        if (request && network_lease_mark(host->leases, lease, asset, ASSET_CONFIGURED, place))
            g_ptr_array_add(requests, request);
        else
            plug_request_free(request);
    }
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return requests;
}

/* From here on libvirt's record of the guest is what holds the VFs. */
static gboolean
commit(const NetworkHost *host, const Lease *lease, GError **error)
{
    if (!lease_store_set_state(host->leases, lease->id, STATE_ATTACHED, "", error))
        return FALSE;
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!lease_store_drop_asset(host->leases, lease->id, asset->kind, asset->key, error))
            return FALSE;
    }
    network_lease_announce(host, lease, BULLETIN_ATTACHED);
    return TRUE;
}

static gboolean
plug_all(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    g_autoptr(GPtrArray) networks = hypervisor_list_networks(host->hypervisor, error);
    g_autoptr(GError) failure = NULL;

    if (!networks)
        return FALSE;
    g_autoptr(GPtrArray) requests = make_requests(host, lease, networks, &failure);
    (void)plug_lease(host, job, lease, requests, failure ? NULL : &failure);
    if (!failure)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
attach_reservation(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!lease_store_set_state(host->leases, lease->id, STATE_ATTACHING, lease->reason, error))
        return FALSE;
    mac_path_stay_on_virtio(host, lease); /* the bridge knows the guest from where it was before */
    if (plug_all(host, job, lease, &failure))
        return commit(host, lease, error);
    mac_path_stay_on_virtio(host, lease);
    network_lease_degrade(host, lease, failure);
    return TRUE;
}

/* The VFs in the guest at the places that the request named. */
static json_t *
attached_functions(const Lease *lease, const DomainXml *live)
{
    const json_t *vnics = json_object_get(lease->request, "vnics");
    json_t *functions = json_array();

    for (gsize i = 0; i < json_array_size(vnics); i++) {
        const json_t *vnic = json_array_get(vnics, i);
        const DomainPassthrough *device =
            guest_view_find_at(live, json_string_value(json_object_get(vnic, "guestAddress")));

        if (device && device->function)
            json_array_append_new(functions, json_string(device->function));
    }
    return functions;
}

json_t *
attach_result(const NetworkHost *host, const Lease *lease, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, lease->guest_uuid, error);

    if (!view)
        return NULL;
    BondAccess access = bond_access(host, view, NULL);
    g_autoptr(GError) silent = NULL;
    g_autoptr(GuestReport) report = bond_report(&access, &silent);
    return json_pack("{s:{s:s, s:s}, s:o, s:b, s:o}", "guest", "name", view->guest->name, "uuid",
                     view->guest->uuid, "functions", attached_functions(lease, view->live),
                     "degraded", !g_str_equal(lease->state, STATE_ATTACHED), "bonds",
                     report ? guest_report_bonds_to_json(report) : json_array());
}
