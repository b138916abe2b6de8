/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches reserved VFs to the guest they were reserved for. */
#include "netprep/attach.h"

#include "netprep/bond.h"

static PlugRequest *
make_request(const LeaseAsset *asset, GError **error)
{
    g_autoptr(PlugRequest) request = g_new0(PlugRequest, 1);

    request->vnic = network_lease_vnic(asset, error);
    if (!request->vnic)
        return NULL;
    request->function = g_strdup(asset->key);
    request->live_xml = domain_xml_build_hostdev(asset->key, request->vnic->guest_address,
                                                 request->vnic->alias, error);
    if (!request->live_xml)
        return NULL;
    request->config_xml = request->vnic->persistent ? g_strdup(request->live_xml) : NULL;
    request->apply_settings = request->hand_over = request->check_free = TRUE;
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
    g_message("guest '%s' has its %u reserved VFs", lease->guest_name, lease->assets->len);
    return TRUE;
}

static gboolean
degrade(const NetworkHost *host, const Lease *lease, const GError *failure, GError **error)
{
    g_warning("guest '%s' runs without some of its passthrough vNICs: %s", lease->guest_name,
              failure->message);
    return lease_store_set_state(host->leases, lease->id, STATE_DEGRADED, failure->message, error);
}

gboolean
attach_reservation(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!lease_store_set_state(host->leases, lease->id, STATE_ATTACHING, lease->reason, error))
        return FALSE;
    g_autoptr(GPtrArray) requests = make_requests(host, lease, &failure);
    (void)plug_functions(host, job, lease->guest_uuid, requests, failure ? NULL : &failure);
    return failure ? degrade(host, lease, failure, error) : commit(host, lease, error);
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
