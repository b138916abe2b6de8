/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the devices between a vNIC and its card, and records what it sets on them. */
#include "netprep/mac_path.h"

#include <string.h>

#include "netprep/function_inventory.h"
#include "netprep/guest_view.h"

#define RECORD     "macPath"
#define DEPTH_MAX  4 /* bridge, VLAN, bond, card */
#define LOWER_MARK "lower_"

/* One VF's way. */
typedef struct {
    const char *device; /* PF; borrowed */
    char *port;         /* of the bridge: the PF, or what is above it */
    const guint8 *mac;  /* borrowed */
} MacPath;

static gboolean leads_to(const char *links, const char *upper, const char *device, unsigned depth);

/* The device directly below @upper that is @device or leads to it. */
static char *
find_below(const char *links, const char *upper, const char *device, unsigned depth)
{
    g_autofree char *path = g_build_filename(links, upper, NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        const char *lower = name + strlen(LOWER_MARK);

        if (g_str_has_prefix(name, LOWER_MARK) &&
            (g_str_equal(lower, device) || leads_to(links, lower, device, depth)))
            return g_strdup(lower);
    }
    return NULL;
}

static gboolean
leads_to(const char *links, const char *upper, const char *device, unsigned depth)
{
    g_autofree char *below = depth > 0 ? find_below(links, upper, device, depth - 1) : NULL;

    return below != NULL;
}

/* The port by which Linux bridge @bridge leads to @device; NULL: it does not. */
static char *
find_port(const NetworkHost *host, const char *bridge, const char *device)
{
    g_autofree char *links = g_build_filename(host->sysfs, "class", "net", NULL);
    g_autofree char *mark = g_build_filename(links, bridge, "bridge", NULL);

    return g_file_test(mark, G_FILE_TEST_IS_DIR) ? find_below(links, bridge, device, DEPTH_MAX)
                                                 : NULL;
}

static const DomainVirtioNic *
find_nic(const DomainXml *live, const guint8 *mac)
{
    g_autofree char *text = function_mac_to_text(mac);

    for (guint i = 0; text && i < live->virtio_nics->len; i++) {
        const DomainVirtioNic *nic = live->virtio_nics->pdata[i];

        if (nic->bridge && g_strcmp0(nic->mac, text) == 0)
            return nic;
    }
    return NULL;
}

/* Writes it down on disk and in @lease, whose states on disk may be ahead. Steals @record; NULL: it
 * has none. */
static gboolean
set_record(const NetworkHost *host, const Lease *lease, LeaseAsset *asset, json_t *record,
           GError **error)
{
    json_auto_t *owned = record;
    g_autoptr(Lease) stored = lease_store_get(host->leases, lease->id, 0, error);
    LeaseAsset *fresh = stored ? lease_find_asset(stored, asset->kind, asset->key) : NULL;

    if (!stored)
        return FALSE;
    if (!fresh)
        return TRUE;
    if (record) {
        json_object_set(fresh->detail, RECORD, record);
        json_object_set(asset->detail, RECORD, record);
    } else {
        json_object_del(fresh->detail, RECORD);
        json_object_del(asset->detail, RECORD);
    }
    return network_lease_mark(host->leases, lease, fresh, fresh->state, error);
}

static json_t *
make_record(const MacPath *path)
{
    g_autofree char *mac = function_mac_to_text(path->mac);

    return json_pack("{s:s, s:s}", "device", path->device, "mac", mac);
}

static void
warn(const GError *failure)
{
    g_warning("frames for a guest on VirtIO may be delayed: %s", failure->message);
}

/* TRUE in *ret_needed: the card has no entry, and it is on record that ours will be there. */
static gboolean
announce(const NetworkHost *host, const Lease *lease, LeaseAsset *asset, const MacPath *path,
         gboolean *ret_needed, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean accepts = FALSE;

    *ret_needed = FALSE;
    if (!bridge_fdb_accepts(host->fdb, path->device, path->mac, &accepts, &failure)) {
        warn(failure);
        return TRUE;
    }
    if (accepts)
        return TRUE;
    *ret_needed = TRUE;
    return json_object_get(asset->detail, RECORD) ||
           set_record(host, lease, asset, make_record(path), error);
}

static gboolean
open_path(const NetworkHost *host, const Lease *lease, LeaseAsset *asset, const MacPath *path,
          GError **error)
{
    g_autoptr(GError) failure = NULL;
    gboolean needed = FALSE, added = FALSE;

    if (!bridge_fdb_forget(host->fdb, path->port, path->mac, NULL, &failure)) {
        warn(failure);
        g_clear_error(&failure);
    }
    if (!announce(host, lease, asset, path, &needed, error))
        return FALSE;
    if (!needed)
        return TRUE;
    if (!bridge_fdb_accept(host->fdb, path->device, path->mac, &added, &failure)) {
        warn(failure); /* it may be there all the same: the record stays */
        return TRUE;
    }
    return added || set_record(host, lease, asset, NULL, error);
}

/* To be cleared by g_free of its port; no port: there is nothing to do for this VF. */
static MacPath
find_path(const NetworkHost *host, const FunctionInventory *inventory, const DomainXml *live,
          const char *address, const Vnic *vnic)
{
    const Function *function = function_inventory_find(inventory, address);
    const DomainVirtioNic *nic = function ? find_nic(live, vnic->settings.mac) : NULL;
    MacPath path = { .mac = vnic->settings.mac };

    if (nic) {
        path.device = function->physical_function;
        path.port = find_port(host, nic->bridge, path.device);
    }
    return path;
}

static gboolean
open_asset(const NetworkHost *host, const FunctionInventory *inventory, const Lease *lease,
           LeaseAsset *asset, const DomainXml *live, GError **error)
{
    g_autoptr(Vnic) vnic = network_lease_vnic(asset, error);

    if (!vnic)
        return FALSE;
    MacPath path = find_path(host, inventory, live, asset->key, vnic);
    g_autofree char *port = path.port;
    return !port || open_path(host, lease, asset, &path, error);
}

static gboolean
open_all(const NetworkHost *host, const Lease *lease, gboolean with_plugged, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, lease->guest_uuid, error);
    g_autoptr(FunctionInventory) inventory =
        view ? function_inventory_read(host->sysfs, NULL, error) : NULL;

    if (!inventory)
        return FALSE;
    for (guint i = 0; i < lease->assets->len; i++) {
        LeaseAsset *asset = lease->assets->pdata[i];

        if (!g_str_equal(asset->kind, ASSET_FUNCTION) ||
            (!with_plugged && guest_view_find(view->live, asset->key)))
            continue;
        if (!open_asset(host, inventory, lease, asset, view->live, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mac_path_to_virtio(const NetworkHost *host, const Lease *lease, GError **error)
{
    return open_all(host, lease, TRUE, error);
}

void
mac_path_stay_on_virtio(const NetworkHost *host, const Lease *lease)
{
    g_autoptr(GError) failure = NULL;

    if (!open_all(host, lease, FALSE, &failure) &&
        !g_error_matches(failure, FAULT, FAULT_GUEST_NOT_FOUND))
        warn(failure);
}

static gboolean
close_path(const NetworkHost *host, const Lease *lease, LeaseAsset *asset, const json_t *record,
           GError **error)
{
    const char *device = json_string_value(json_object_get(record, "device"));
    guint8 mac[FUNCTION_MAC_BYTES];

    if (device && function_mac_from_text(json_string_value(json_object_get(record, "mac")), mac) &&
        !bridge_fdb_refuse(host->fdb, device, mac, error))
        return FALSE;
    return set_record(host, lease, asset, NULL, error);
}

gboolean
mac_path_hand_down(const NetworkHost *host, const Lease *lease, LeaseAsset *asset,
                   const char *device, json_t *detail, GError **error)
{
    json_t *record = json_object_get(asset->detail, RECORD);

    if (!record)
        return TRUE;
    if (g_strcmp0(json_string_value(json_object_get(record, "device")), device) != 0)
        return close_path(host, lease, asset, record, error);
    return json_object_set(detail, RECORD, record) == 0;
}

gboolean
mac_path_to_function(const NetworkHost *host, const Lease *lease, GError **error)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        LeaseAsset *asset = lease->assets->pdata[i];
        const json_t *record = json_object_get(asset->detail, RECORD);

        if (record && !close_path(host, lease, asset, record, error))
            return FALSE;
    }
    return TRUE;
}
