/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds lost VFs of a lease and exchanges them. */
#include "netprep/replacement.h"

#include "netprep/function_choice.h"
#include "netprep/mac_path.h"
#include "netprep/pool_port.h"
#include "netprep/vnic_device.h"

/* How often somebody else may be quicker before we give up. */
#define RACES_MAX 16

typedef struct {
    const NetworkHost *host;
    Lease *lease; /* a copy, kept as on disk */
    FunctionInventory *inventory;
} Replacement;

/* One that nobody but us can have touched since it was reserved was taken; else libvirt may still
 * be about to give it back. */
static gboolean
is_taken(const LeaseAsset *asset)
{
    return g_str_equal(asset->state, ASSET_RESERVED);
}

/* Why the guest cannot have it any more; NULL: it can. */
static const char *
find_loss(const LeaseAsset *asset, const Function *function)
{
    if (!function)
        return "this host does not have it any more";
    switch (function->state) {
    case FUNCTION_STATE_FREE:
    case FUNCTION_STATE_RESERVED:
        return function_has_carrier(function) ? NULL : "its PF has no link";
    case FUNCTION_STATE_GUEST:
    case FUNCTION_STATE_HOST:
        return function->reason;
    case FUNCTION_STATE_FOREIGN:
        return is_taken(asset) ? function->reason : NULL;
    case FUNCTION_STATE_UNFIT:
        return network_lease_had(asset) ? NULL : function->reason;
    }
    g_return_val_if_reached(NULL);
}

/* What is somebody else's by now keeps the settings that it has. */
static gboolean
let_go(const Replacement *replacement, const LeaseAsset *asset, GError **error)
{
    const Function *function = function_inventory_find(replacement->inventory, asset->key);

    if (!function || function->state != FUNCTION_STATE_FREE ||
        g_str_equal(asset->state, ASSET_RESERVED))
        return TRUE;
    return function_settings_reset(replacement->host->control, function->physical_function,
                                   function->index, error);
}

/* A guest that is only shut off is to find its vNIC on the new VF, too. */
static gboolean
write_config(const Replacement *replacement, const Vnic *vnic, const LeaseAsset *asset,
             json_t *detail, const char *address, GError **error)
{
    if (!json_object_get(asset->detail, "configXml") || !vnic->configuration)
        return TRUE;
    g_autoptr(GPtrArray) networks = hypervisor_list_networks(replacement->host->hypervisor, error);
    g_autofree char *xml = networks ? vnic_device_config(vnic, address, networks, error) : NULL;

    if (xml)
        json_object_set_new(detail, "configXml", json_string(xml));
    return xml != NULL;
}

static LeaseAsset *
make_successor(const Replacement *replacement, const Vnic *vnic, LeaseAsset *asset,
               const Function *function, GError **error)
{
    json_auto_t *detail = json_pack("{s:O, s:o}", "vnic", json_object_get(asset->detail, "vnic"),
                                    NETWORK_LEASE_REPLACED, network_lease_replaced_with(asset));

    if (!write_config(replacement, vnic, asset, detail, function->address, error) ||
        !mac_path_hand_down(replacement->host, replacement->lease, asset,
                            function->physical_function, detail, error))
        return NULL;
    return lease_asset_new(ASSET_FUNCTION, function->address, ASSET_RESERVED,
                           g_steal_pointer(&detail));
}

static void
announce(const Replacement *replacement, const LeaseAsset *old, const LeaseAsset *successor,
         const char *loss)
{
    g_autofree char *detail =
        g_strdup_printf("%s instead of %s: %s", successor->key, old->key, loss);

    bulletin_post(replacement->host->bulletin, BULLETIN_REPLACED, replacement->lease, detail);
}

/* FAULT_FUNCTION_BUSY: somebody was quicker. */
static gboolean
exchange(Replacement *replacement, guint index, const char *loss, GError **error)
{
    const NetworkHost *host = replacement->host;
    LeaseAsset *asset = replacement->lease->assets->pdata[index];
    g_autoptr(Vnic) vnic = network_lease_vnic(asset, error);
    g_autoptr(FunctionChoice) choice = vnic ? function_choice_new(host, error) : NULL;
    const Function *function =
        choice ? function_choice_next(choice, vnic->physical_network, 1, error) : NULL;

    if (!function || !let_go(replacement, asset, error))
        return FALSE;
    g_autoptr(LeaseAsset) successor = make_successor(replacement, vnic, asset, function, error);
    if (!successor || !lease_store_replace_asset(host->leases, replacement->lease->id, asset,
                                                 successor, FAULT_FUNCTION_BUSY, error))
        return FALSE;
    announce(replacement, asset, successor, loss);
    lease_asset_free(asset);
    replacement->lease->assets->pdata[index] = g_steal_pointer(&successor);
    return pool_ports_hold(host, replacement->lease, error);
}

/* Also the new one may be lost before it is held everywhere. */
static gboolean
replace(Replacement *replacement, guint index, const char *loss, GError **error)
{
    for (unsigned race = 1;; race++) {
        g_autoptr(GError) failure = NULL;

        if (exchange(replacement, index, loss, &failure))
            return TRUE;
        if (race == RACES_MAX || !g_error_matches(failure, FAULT, FAULT_FUNCTION_BUSY)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
    }
}

/* TRUE: there is another VF now. */
static gboolean
look_after(Replacement *replacement, guint index, const GuestView *view)
{
    const LeaseAsset *asset = replacement->lease->assets->pdata[index]; /* until it is replaced */
    g_autofree char *key = g_strdup(asset->key);
    const Function *function = function_inventory_find(replacement->inventory, key);
    const char *loss = guest_view_find(view->live, key) ? NULL : find_loss(asset, function);
    g_autoptr(GError) failure = NULL;

    if (!loss)
        return FALSE;
    if (replace(replacement, index, loss, &failure))
        return TRUE;
    /* That none is free is no news: what becomes of the lost one tells of it. */
    if (!g_error_matches(failure, FAULT, FAULT_NO_FREE_FUNCTION))
        g_warning("lease %s: %s is not replaced: %s", replacement->lease->id, key,
                  failure->message);
    return FALSE;
}

Lease *
replacement_make(const NetworkHost *host, const Lease *lease)
{
    Replacement replacement = { .host = host, .lease = lease_copy(lease) };
    /* First, so that a VF which leaves the guest meanwhile does not look like another guest's. */
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, lease->guest_uuid, NULL);
    g_autoptr(FunctionInventory) inventory = view && view->guest->state == GUEST_STATE_RUNNING
                                                 ? function_inventory_survey(host, NULL)
                                                 : NULL;
    gboolean changed = FALSE;

    replacement.inventory = inventory;
    for (guint i = 0; inventory && i < replacement.lease->assets->len; i++) {
        if (look_after(&replacement, i, view))
            changed = TRUE;
    }
    if (changed)
        mac_path_stay_on_virtio(host, replacement.lease);
    return replacement.lease;
}
