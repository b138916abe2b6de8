/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the VFs of this host in sysfs and works out whether the host uses them. */
#include "netprep/function_inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "netprep/function_holder.h"
#include "netprep/iommu_group.h"
#include "netprep/link_addresses.h"
#include "netprep/network_lease.h"
#include "netprep/sysfs_file.h"

/*
 * Theory of operation. Three passes over directories (PCI devices, their IOMMU groups, network
 * devices) cost one file each and build tables; after them a VF costs two links, of its address and
 * of its driver. Nothing is locked: a card may lose its VFs at any time, and those that are gone
 * are left out.
 */
typedef struct {
    int sysfs;
    FunctionInventory *inventory;
    const IommuGroups *groups;
} Reader;

static void
function_free(Function *function)
{
    g_free(function->address);
    g_free(function->holder);
    g_free(function->reason);
    g_free(function);
}

FunctionInventory *
function_inventory_ref(FunctionInventory *inventory)
{
    g_atomic_int_inc(&inventory->references);
    return inventory;
}

void
function_inventory_unref(FunctionInventory *inventory)
{
    if (!inventory || !g_atomic_int_dec_and_test(&inventory->references))
        return;
    g_hash_table_unref(inventory->by_address);
    g_ptr_array_unref(inventory->functions);
    g_clear_pointer(&inventory->physical_functions, g_ptr_array_unref);
    host_links_free(inventory->links);
    g_string_chunk_free(inventory->texts);
    g_free(inventory);
}

static FunctionInventory *
inventory_new(void)
{
    FunctionInventory *inventory = g_new0(FunctionInventory, 1);

    inventory->references = 1;
    inventory->functions = g_ptr_array_new_with_free_func((GDestroyNotify)function_free);
    inventory->by_address = g_hash_table_new(g_str_hash, g_str_equal);
    inventory->texts = g_string_chunk_new(1024);
    return inventory;
}

void
function_set_state(Function *function, FunctionState state, const char *holder, const char *reason,
                   ...)
{
    va_list arguments;

    va_start(arguments, reason);
    g_autofree char *text = g_strdup_vprintf(reason, arguments);
    va_end(arguments);
    /* Freed last: @holder may be the old one. */
    g_autofree char *old_holder = g_steal_pointer(&function->holder);
    function->state = state;
    function->holder = g_strdup(holder);
    g_free(function->reason);
    function->reason = g_steal_pointer(&text);
}

/* FALSE if the host uses none of its network devices. */
static gboolean
mark_host_use(Function *function, const HostLink *link)
{
    for (; link; link = link->sibling) {
        g_autofree char *use = host_link_use(link);
        g_autofree char *holder = g_strdup_printf("network device %s", link->name);

        if (!use)
            continue;
        function_set_state(function, FUNCTION_STATE_HOST, holder, "%s %s", holder, use);
        return TRUE;
    }
    return FALSE;
}

/* What the VF's card and place say, for one that nobody uses. */
static void
mark_fitness(const Reader *reader, Function *function, gboolean port_known)
{
    const char *partner = iommu_groups_partner(reader->groups, function->address);

    if (function->iommu_group == IOMMU_GROUP_NONE)
        function_set_state(function, FUNCTION_STATE_UNFIT, NULL,
                           "has no IOMMU group: the IOMMU of this host is off");
    else if (partner)
        function_set_state(function, FUNCTION_STATE_UNFIT, NULL, "IOMMU group %d is shared with %s",
                           function->iommu_group, partner);
    else if (!port_known)
        function_set_state(function, FUNCTION_STATE_UNFIT, NULL,
                           "its card has several ports, and no network device tells which is its");
}

static void
classify(const Reader *reader, Function *function, const HostLink *link, gboolean port_known)
{
    if (function->driver && g_str_has_prefix(function->driver, "vfio"))
        function_set_state(function, FUNCTION_STATE_FOREIGN, NULL,
                           "is bound to %s, but no guest of libvirt has it", function->driver);
    else if (function->driver && !link)
        function_set_state(function, FUNCTION_STATE_FOREIGN, NULL,
                           "is bound to %s, but its network device is in another network namespace",
                           function->driver);
    else if (!mark_host_use(function, link))
        mark_fitness(reader, function, port_known);
}

/* The port among @ports that the VF's network device says it is on; NULL if it does not. */
static const PhysicalFunction *
find_port(const Reader *reader, PhysicalFunction *const *ports, guint count, const HostLink *link)
{
    char path[SYSFS_TEXT_BYTES], id[SYSFS_TEXT_BYTES];

    if (count == 1)
        return ports[0];
    if (!link)
        return NULL;
    g_snprintf(path, sizeof(path), "class/net/%s/phys_port_id", link->name);
    if (sysfs_read_text(reader->sysfs, path, id) < 0)
        return NULL;
    for (guint i = 0; i < count; i++) {
        if (g_strcmp0(ports[i]->port_id, id) == 0)
            return ports[i];
    }
    return NULL;
}

static int
add_function(const Reader *reader, int card, PhysicalFunction *const *ports, guint count,
             unsigned index)
{
    FunctionInventory *inventory = reader->inventory;
    char path[SYSFS_TEXT_BYTES], address[SYSFS_TEXT_BYTES], driver[SYSFS_TEXT_BYTES];

    g_snprintf(path, sizeof(path), "virtfn%u", index);
    int status = sysfs_read_link(card, path, address);
    if (status < 0)
        return sysfs_is_absent(status) ? 0 : status;
    g_snprintf(path, sizeof(path), "virtfn%u/driver", index);
    status = sysfs_read_link(card, path, driver);
    g_snprintf(path, sizeof(path), "virtfn%u", index);
    if (status < 0 && (!sysfs_is_absent(status) || faccessat(card, path, F_OK, 0) < 0))
        return sysfs_is_absent(status) ? 0 : status;
    const HostLink *link = host_links_of_device(inventory->links, address);
    const PhysicalFunction *port = find_port(reader, ports, count, link);
    Function *function = g_new0(Function, 1);
    function->address = g_strdup(address);
    function->port = port ? port : ports[0];
    function->physical_function = function->port->name;
    function->index = index;
    function->driver = status < 0 ? NULL : g_string_chunk_insert_const(inventory->texts, driver);
    function->iommu_group = iommu_groups_find(reader->groups, address);
    classify(reader, function, link, port != NULL);
    g_ptr_array_add(inventory->functions, function);
    g_hash_table_insert(inventory->by_address, function->address, function);
    return 0;
}

/* The VFs of the card that has @count ports at @ports. */
static int
add_card(const Reader *reader, PhysicalFunction *const *ports, guint count)
{
    g_autofree char *path = g_strdup_printf("bus/pci/devices/%s", ports[0]->address);
    int card = sysfs_open(reader->sysfs, path), status = 0;

    if (card < 0)
        return sysfs_is_absent(card) ? 0 : card;
    for (unsigned index = 0; index < ports[0]->functions && status == 0; index++)
        status = add_function(reader, card, ports, count, index);
    close(card);
    return status;
}

static int
add_cards(const Reader *reader)
{
    GPtrArray *functions = reader->inventory->physical_functions;
    int status = 0;

    for (guint i = 0, end; i < functions->len && status == 0; i = end) {
        PhysicalFunction *const *ports = (PhysicalFunction *const *)functions->pdata + i;

        for (end = i + 1; end < functions->len; end++) {
            const PhysicalFunction *next = functions->pdata[end];
            if (strcmp(next->address, ports[0]->address) != 0)
                break;
        }
        status = add_card(reader, ports, end - i);
    }
    return status;
}

static int
read_all(int sysfs, GHashTable *addressed, FunctionInventory *inventory)
{
    g_autoptr(IommuGroups) groups = NULL;
    int status = host_links_read(sysfs, addressed, &inventory->links);

    if (status == 0)
        status = iommu_groups_read(sysfs, &groups);
    if (status == 0)
        status = physical_functions_read(sysfs, inventory->links, &inventory->physical_functions);
    return status < 0 ? status : add_cards(&(Reader) { sysfs, inventory, groups });
}

FunctionInventory *
function_inventory_read(const char *sysfs, GHashTable *addressed, GError **error)
{
    g_autoptr(FunctionInventory) inventory = inventory_new();
    int directory = sysfs_open(AT_FDCWD, sysfs);
    int status = directory < 0 ? directory : read_all(directory, addressed, inventory);

    if (directory >= 0)
        close(directory);
    if (status == 0)
        return g_steal_pointer(&inventory);
    fault_set(error, FAULT_INTERNAL, "virtual functions of this host",
              "see how many files the daemon may open, and whether /sys is mounted",
              "%s cannot be read: %s", sysfs, g_strerror(-status));
    return NULL;
}

FunctionInventory *
function_inventory_survey(const NetworkHost *host, GError **error)
{
    g_autoptr(GHashTable) addressed = link_addresses_read(error);
    g_autoptr(GPtrArray) guests =
        addressed ? hypervisor_list_guests(host->hypervisor, error) : NULL;
    g_autoptr(FunctionInventory) inventory =
        guests ? function_inventory_read(host->sysfs, addressed, error) : NULL;

    if (!inventory)
        return NULL;
    function_holders_mark_guests(inventory, guests);
    return g_steal_pointer(&inventory);
}

FunctionInventory *
function_inventory_survey_with_leases(const NetworkHost *host, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(host, error);
    g_autoptr(GPtrArray) leases = inventory ? lease_store_list(host->leases, error) : NULL;
    g_autoptr(GHashTable) held =
        leases ? lease_store_held(host->leases, ASSET_FUNCTION, error) : NULL;

    if (!held)
        return NULL;
    function_holders_mark_leases(inventory, leases, held);
    return g_steal_pointer(&inventory);
}

Function *
function_inventory_find(const FunctionInventory *inventory, const char *address)
{
    return address ? g_hash_table_lookup(inventory->by_address, address) : NULL;
}

const PhysicalFunction *
function_inventory_find_port(const FunctionInventory *inventory, const char *text)
{
    const HostLink *link = host_links_find(inventory->links, text);
    const Function *function =
        function_inventory_find(inventory, link && link->device ? link->device : text);

    for (guint i = 0; i < inventory->physical_functions->len; i++) {
        const PhysicalFunction *port = inventory->physical_functions->pdata[i];

        if (strcmp(port->name, text) == 0 || strcmp(port->address, text) == 0)
            return port;
    }
    return function ? function->port : NULL;
}

gboolean
function_has_carrier(const Function *function)
{
    return function->port->link == PHYSICAL_LINK_UP ||
           function->port->link == PHYSICAL_LINK_UNKNOWN;
}
