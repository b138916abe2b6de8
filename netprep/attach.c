/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches reserved VFs to the guest they were reserved for. */
#include "netprep/attach.h"

#include "netprep/bond.h"
#include "netprep/mac_path.h"
#include "netprep/migration_hooks.h"
#include "netprep/replacement.h"

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

gboolean
attach_reservation(const NetworkHost *host, Job *job, const Lease *reservation, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!lease_store_set_state(host->leases, reservation->id, STATE_ATTACHING, reservation->reason,
                               error))
        return FALSE;
    g_autoptr(Lease) lease = replacement_make(host, reservation);
    mac_path_stay_on_virtio(host, lease); /* the bridge knows the guest from where it was before */
    gboolean plugged = plug_lease(host, job, lease, &failure);
    migration_hooks_after(host, job, reservation);
    if (plugged)
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
