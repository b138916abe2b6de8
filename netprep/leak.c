/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds lost VFs. */
#include "netprep/leak.h"

#include <string.h>

#include "netprep/iommu_group.h"
#include "netprep/network_lease.h"

void
leak_free(Leak *leak)
{
    if (!leak)
        return;
    g_free(leak->function);
    g_free(leak->detail);
    g_free(leak->remedy);
    g_free(leak);
}

/* Steals @detail and @remedy. */
static void
add(GPtrArray *leaks, LeakKind kind, const char *function, char *detail, char *remedy)
{
    Leak *leak = g_new0(Leak, 1);

    leak->kind = kind;
    leak->function = g_strdup(function);
    leak->detail = detail;
    leak->remedy = remedy;
    g_ptr_array_add(leaks, leak);
}

static gboolean
is_unknown(const Function *function)
{
    return function->state == FUNCTION_STATE_FOREIGN && !function->holder && function->driver &&
           g_str_has_prefix(function->driver, "vfio");
}

static void
add_unknown(GPtrArray *leaks, const Function *function)
{
    g_autofree char *user = function->iommu_group == IOMMU_GROUP_NONE
                                ? g_strdup("/dev/vfio/*")
                                : g_strdup_printf("/dev/vfio/%d", function->iommu_group);
    g_autofree char *node = g_strdelimit(g_strdup(function->address), ":.", '_');

    add(leaks, LEAK_UNKNOWN_HOLDER, function->address, g_strdup(function->reason),
        g_strdup_printf("see who uses it with `fuser -v %s`; if nobody does, give it back to the "
                        "host with `virsh nodedev-reattach pci_%s`",
                        user, node));
}

static void
add_missing(GPtrArray *leaks, const FunctionInventory *inventory, const Lease *lease,
            GHashTable *readable)
{
    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!g_str_equal(asset->kind, ASSET_FUNCTION))
            continue;
        g_hash_table_add(readable, asset->key);
        if (function_inventory_find(inventory, asset->key))
            continue;
        add(leaks, LEAK_MISSING_FUNCTION, asset->key,
            g_strdup_printf("lease %s for guest '%s' holds it, but this host does not have it any "
                            "more",
                            lease->id, lease->guest_name),
            g_strdup("set sriov_numvfs of its PF as it was, or release the lease"));
    }
}

static void
add_damaged(GPtrArray *leaks, GHashTable *held, GHashTable *readable)
{
    GHashTableIter iter;
    void *address, *id;

    g_hash_table_iter_init(&iter, held);
    while (g_hash_table_iter_next(&iter, &address, &id)) {
        if (!g_hash_table_contains(readable, address))
            add(leaks, LEAK_DAMAGED_LEASE, address,
                g_strdup_printf("lease %s holds it, but its record is damaged", (const char *)id),
                g_strdup("see what the guest has with `virsh dumpxml`, then release the lease"));
    }
}

void
leaks_add_held(GPtrArray *leaks, const FunctionInventory *inventory, const GPtrArray *leases,
               GHashTable *held)
{
    g_autoptr(GHashTable) readable = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < inventory->functions->len; i++) {
        if (is_unknown(inventory->functions->pdata[i]))
            add_unknown(leaks, inventory->functions->pdata[i]);
    }
    for (guint i = 0; i < leases->len; i++)
        add_missing(leaks, inventory, leases->pdata[i], readable);
    add_damaged(leaks, held, readable);
}

/* NULL if the VF is gone. */
static const Function *
find_by_index(const FunctionInventory *inventory, const PhysicalFunction *port, unsigned index)
{
    for (guint i = 0; i < inventory->functions->len; i++) {
        const Function *function = inventory->functions->pdata[i];

        if (function->index == index && strcmp(function->port->address, port->address) == 0)
            return function;
    }
    return NULL;
}

static void
add_duplicate(GPtrArray *leaks, const Function *function, const Function *other, const char *mac)
{
    add(leaks, LEAK_DUPLICATE_MAC, function->address,
        g_strdup_printf(
            "has the MAC %s, which %s of the same PF has, too: the card delivers to one "
            "of them only",
            mac, other->address),
        g_strdup_printf(
            "see which guest the address belongs to; if not to this one's, clear it with "
            "`ip link set %s vf %u mac 00:00:00:00:00:00`",
            function->physical_function, function->index));
}

void
leaks_add_duplicates(GPtrArray *leaks, const FunctionInventory *inventory,
                     const PhysicalFunction *port, const GArray *entries)
{
    g_autoptr(GHashTable) owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < entries->len; i++) {
        const FunctionEntry *entry = &g_array_index(entries, FunctionEntry, i);
        g_autofree char *mac = function_mac_to_text(entry->settings.mac);
        const Function *function = mac ? find_by_index(inventory, port, entry->index) : NULL;

        if (!function)
            continue;
        char *key = g_strdup_printf("%s %u", mac, entry->settings.vlan);
        const Function *owner = g_hash_table_lookup(owners, key);
        if (owner)
            add_duplicate(leaks, function, owner, mac);
        g_hash_table_insert(owners, key, (void *)(owner ? owner : function));
    }
}

static gboolean
is_in_use(const FunctionInventory *inventory, const PhysicalFunction *port)
{
    for (guint i = 0; i < inventory->functions->len; i++) {
        const Function *function = inventory->functions->pdata[i];

        if (function->port == port && function->state != FUNCTION_STATE_FREE &&
            function->state != FUNCTION_STATE_UNFIT)
            return TRUE;
    }
    return FALSE;
}

static void
look_for_duplicates(GPtrArray *leaks, const NetworkHost *host, const FunctionInventory *inventory,
                    const PhysicalFunction *port)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) entries = function_settings_list(host->control, port->name, &error);

    if (entries)
        leaks_add_duplicates(leaks, inventory, port, entries);
    else
        add(leaks, LEAK_UNVERIFIED, port->address,
            g_strdup_printf("whether two of its VFs have one MAC cannot be told: %s",
                            fault_cause(error)),
            g_strdup(fault_remedy(error)));
}

GPtrArray *
leaks_survey(const NetworkHost *host, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey_with_leases(host, error);
    g_autoptr(GPtrArray) leases = inventory ? lease_store_list(host->leases, error) : NULL;
    g_autoptr(GHashTable) held =
        leases ? lease_store_held(host->leases, ASSET_FUNCTION, error) : NULL;

    if (!held)
        return NULL;
    GPtrArray *leaks = g_ptr_array_new_with_free_func((GDestroyNotify)leak_free);
    leaks_add_held(leaks, inventory, leases, held);
    for (guint i = 0; i < inventory->physical_functions->len; i++) {
        const PhysicalFunction *port = inventory->physical_functions->pdata[i];

        if (port->link != PHYSICAL_LINK_UNKNOWN && is_in_use(inventory, port))
            look_for_duplicates(leaks, host, inventory, port);
    }
    return leaks;
}

const char *
leak_kind_name(LeakKind kind)
{
    switch (kind) {
    case LEAK_UNKNOWN_HOLDER:
        return "unknownHolder";
    case LEAK_MISSING_FUNCTION:
        return "missingFunction";
    case LEAK_DAMAGED_LEASE:
        return "damagedLease";
    case LEAK_DUPLICATE_MAC:
        return "duplicateMac";
    case LEAK_UNVERIFIED:
        return "unverified";
    }
    g_return_val_if_reached("unverified");
}

json_t *
leak_to_json(const Leak *leak)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "function", leak->function, "kind",
                     leak_kind_name(leak->kind), "detail", leak->detail, "remedy", leak->remedy);
}
