/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs the VFs of a detachment back. */
#include "netprep/replug.h"

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
static gboolean
replug_asset(const NetworkHost *host, Job *job, const Lease *lease, const LeaseAsset *asset,
             GError **error)
{
    g_autoptr(Vnic) vnic = network_lease_vnic(asset, error);

    if (!vnic || !note_removal(host, lease, asset, error))
        return FALSE;
    PlugRequest request = {
        .guest_uuid = lease->guest_uuid,
        .function = asset->key,
        .mac = vnic->mac,
        .live_xml = json_string_value(json_object_get(asset->detail, "xml")),
        .config_xml = json_string_value(json_object_get(asset->detail, "configXml")),
        .settings = vnic->form == VNIC_FORM_HOSTDEV ? &vnic->settings : NULL,
        .bond = vnic->bond,
        .guest_path = vnic->guest_path,
    };
    return plug_function(host, job, &request, error);
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
finish(const NetworkHost *host, const char *id, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(host->leases, id, 0, error);

    if (!lease)
        return FALSE;
    if (!removal_pending(lease))
        return lease_store_remove(host->leases, id, error);
    return lease_store_renew(host->leases, id, lease->generation, WATCH_SECONDS, error) &&
           lease_store_set_state(host->leases, id, STATE_WATCHING,
                                 "the guest may still let a device go that it was asked for",
                                 error);
}

static void
degrade(const NetworkHost *host, const Lease *lease, const GError *failure, GError **error)
{
    g_autofree char *label = network_guest_label(lease->guest_name);
    g_autoptr(GError) unrecorded = NULL;

    if (!lease_store_set_state(host->leases, lease->id, STATE_DEGRADED, failure->message,
                               &unrecorded))
        g_warning("lease %s: cannot record that it is degraded: %s", lease->id,
                  unrecorded->message);
    fault_set(error, FAULT_ROLLBACK_INCOMPLETE, label,
              "it is retried by itself; see `migprep status`",
              "runs without some of its passthrough vNICs: %s", failure->message);
}

gboolean
replug_detachment(const NetworkHost *host, Job *job, const Lease *lease, GError **error)
{
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < lease->assets->len; i++) {
        /* One that fails is no reason to keep the others away from the guest. */
        g_autoptr(GError) later = NULL;

        if (!replug_asset(host, job, lease, lease->assets->pdata[i], failure ? &later : &failure))
            continue;
    }
    if (failure) {
        degrade(host, lease, failure, error);
        return FALSE;
    }
    return finish(host, lease->id, error);
}
