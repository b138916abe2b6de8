/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives VFs of leases back to the host. */
#include "netprep/give_back.h"

#include <string.h>

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
restore_config(const GiveBack *give_back, const LeaseAsset *asset, GError **error)
{
    const char *xml = json_string_value(json_object_get(asset->detail, "configXml"));
    const GuestView *view = give_back->view;

    if (!xml || !view || !view->config || guest_view_is_active(view))
        return TRUE;
    g_autoptr(Vnic) vnic = network_lease_vnic(asset, error);
    if (!vnic || vnic_find_configured(view->config, vnic, asset->key))
        return vnic != NULL;
    return hypervisor_attach_device(give_back->host->hypervisor, give_back->lease->guest_uuid, xml,
                                    DEVICE_CONFIG, error);
}

gboolean
give_back_function(const GiveBack *give_back, const LeaseAsset *asset, gboolean last,
                   GError **error)
{
    const Function *function = function_inventory_find(give_back->inventory, asset->key);

    if (function &&
        (!check_unused(function, asset, error) || !reset(give_back->host, function, asset, error)))
        return FALSE;
    return restore_config(give_back, asset, error) &&
           (last || lease_store_drop_asset(give_back->host->leases, give_back->lease->id,
                                           asset->kind, asset->key, error));
}

GiveBack *
give_back_new(const NetworkHost *host, const Lease *lease, const FunctionInventory *inventory,
              GError **error)
{
    g_autoptr(GiveBack) give_back = g_new0(GiveBack, 1);

    give_back->host = host;
    give_back->lease = lease;
    if (!inventory)
        inventory = give_back->survey = function_inventory_survey(host, error);
    give_back->inventory = inventory;
    if (!give_back->inventory ||
        !guest_view_find_guest(host->hypervisor, lease->guest_uuid, &give_back->view, error))
        return NULL;
    return g_steal_pointer(&give_back);
}

void
give_back_free(GiveBack *give_back)
{
    if (!give_back)
        return;
    function_inventory_unref(give_back->survey);
    guest_view_free(give_back->view);
    g_free(give_back);
}
