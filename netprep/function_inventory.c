/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds the VFs of this host in sysfs and works out who has each of them. */
#include "netprep/function_inventory.h"

#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "common/domain_xml.h"
#include "netprep/link_addresses.h"

#define FUNCTIONS_PER_PF_MAX 65535
#define TEXT_BYTES_MAX       127 /* numbers and names */

/* A PF's network device. Several may share a PCI function: representors, second ports. */
typedef struct {
    char *name;
    guint64 port;
} PhysicalPort;

typedef struct {
    const char *sysfs;
    GHashTable *addressed;
} Reader;

static void
function_free(Function *function)
{
    g_free(function->address);
    g_free(function->physical_function);
    g_free(function->driver);
    g_free(function->holder);
    g_free(function);
}

void
function_inventory_free(FunctionInventory *inventory)
{
    if (!inventory)
        return;
    g_hash_table_unref(inventory->by_address);
    g_ptr_array_unref(inventory->functions);
    g_free(inventory);
}

static FunctionInventory *
inventory_new(void)
{
    FunctionInventory *inventory = g_new0(FunctionInventory, 1);

    inventory->functions = g_ptr_array_new_with_free_func((GDestroyNotify)function_free);
    inventory->by_address = g_hash_table_new(g_str_hash, g_str_equal);
    return inventory;
}

static void
physical_port_free(PhysicalPort *port)
{
    g_free(port->name);
    g_free(port);
}

static char *
read_text(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    char text[TEXT_BYTES_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    ssize_t length = read(fd, text, TEXT_BYTES_MAX);
    close(fd);
    return length < 0 ? NULL : g_strstrip(g_strndup(text, (gsize)length));
}

static guint64
read_count(const char *directory, const char *name)
{
    g_autofree char *text = read_text(directory, name);

    return text ? g_ascii_strtoull(text, NULL, 0) : 0;
}

/* Last part of where a symbolic link points: an address, a driver, a device. */
static char *
read_link(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *target = g_file_read_link(path, NULL);

    return target ? g_path_get_basename(target) : NULL;
}

static gboolean
is_representor(const char *link_directory)
{
    g_autofree char *port_name = read_text(link_directory, "phys_port_name");

    return port_name && strstr(port_name, "vf");
}

/* The PF's own device is the one with the lowest port. */
static void
add_port(GHashTable *ports, const char *link_directory, const char *name)
{
    g_autofree char *device = g_build_filename(link_directory, "device", NULL);

    if (read_count(device, "sriov_numvfs") == 0 || is_representor(link_directory))
        return;
    g_autofree char *address = read_link(link_directory, "device");
    if (!address)
        return;
    const PhysicalPort *known = g_hash_table_lookup(ports, address);
    guint64 number = read_count(link_directory, "dev_port");
    if (known && known->port <= number)
        return;
    PhysicalPort *port = g_new0(PhysicalPort, 1);
    port->name = g_strdup(name);
    port->port = number;
    g_hash_table_replace(ports, g_steal_pointer(&address), port);
}

static GHashTable *
find_ports(const char *links)
{
    GHashTable *ports =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)physical_port_free);
    g_autoptr(GDir) directory = g_dir_open(links, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(links, name, NULL);
        add_port(ports, path, name);
    }
    return ports;
}

static gboolean
has_upper(const char *link_directory)
{
    g_autoptr(GDir) directory = g_dir_open(link_directory, 0, NULL);
    const char *name;

    while (directory && (name = g_dir_read_name(directory))) {
        if (g_str_has_prefix(name, "upper_") || g_str_equal(name, "master"))
            return TRUE;
    }
    return FALSE;
}

/* A bridge, bond, VLAN or address on it means that the host uses it. That it merely exists or is up
 * does not: the host's driver makes a device for every VF that no guest has. */
static gboolean
link_in_use(const Reader *reader, const char *name)
{
    g_autofree char *path = g_build_filename(reader->sysfs, "class", "net", name, NULL);

    if (has_upper(path))
        return TRUE;
    return (read_count(path, "flags") & IFF_UP) && g_hash_table_contains(reader->addressed, name);
}

static char *
first_link(const char *device)
{
    g_autofree char *path = g_build_filename(device, "net", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);

    return directory ? g_strdup(g_dir_read_name(directory)) : NULL;
}

static void
classify(const Reader *reader, const char *device, Function *function)
{
    if (!function->driver)
        return;
    if (g_str_has_prefix(function->driver, "vfio")) {
        function->state = FUNCTION_STATE_FOREIGN;
        function->holder = g_strdup_printf("driver %s without a guest", function->driver);
        return;
    }
    g_autofree char *link = first_link(device);
    if (!link) {
        function->state = FUNCTION_STATE_FOREIGN;
        function->holder =
            g_strdup_printf("driver %s without a network device of this host", function->driver);
    } else if (link_in_use(reader, link)) {
        function->state = FUNCTION_STATE_HOST;
        function->holder = g_strdup_printf("network device %s", link);
    }
}

static void
add_function(FunctionInventory *inventory, const Reader *reader, const char *device,
             const char *physical_function, unsigned index)
{
    g_autofree char *name = g_strdup_printf("virtfn%u", index);
    g_autofree char *address = read_link(device, name);
    g_autofree char *path = g_build_filename(device, name, NULL);

    if (!address)
        return;
    Function *function = g_new0(Function, 1);
    function->address = g_steal_pointer(&address);
    function->physical_function = g_strdup(physical_function);
    function->index = index;
    function->driver = read_link(path, "driver");
    classify(reader, path, function);
    g_ptr_array_add(inventory->functions, function);
    g_hash_table_insert(inventory->by_address, function->address, function);
}

static int
compare_ports(gconstpointer a, gconstpointer b)
{
    const PhysicalPort *left = a, *right = b;

    return strcmp(left->name, right->name);
}

FunctionInventory *
function_inventory_read(const char *sysfs, GHashTable *addressed)
{
    Reader reader = { sysfs, addressed };
    FunctionInventory *inventory = inventory_new();
    g_autofree char *links = g_build_filename(sysfs, "class", "net", NULL);
    g_autoptr(GHashTable) ports = find_ports(links);
    g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_values(ports), compare_ports);

    for (const GList *link = sorted; link; link = link->next) {
        const PhysicalPort *port = link->data;
        g_autofree char *device = g_build_filename(links, port->name, "device", NULL);
        guint64 count = MIN(read_count(device, "sriov_numvfs"), FUNCTIONS_PER_PF_MAX);

        for (unsigned index = 0; index < count; index++)
            add_function(inventory, &reader, device, port->name, index);
    }
    return inventory;
}

static void
mark_guest(FunctionInventory *inventory, const Guest *guest, const DomainXml *domain)
{
    gboolean active = guest->state != GUEST_STATE_SHUT_OFF;

    for (guint i = 0; i < domain->passthrough->len; i++) {
        const DomainPassthrough *device = domain->passthrough->pdata[i];
        Function *function = function_inventory_find(inventory, device->function);

        if (!function || function->state == FUNCTION_STATE_GUEST ||
            (!active && function->state != FUNCTION_STATE_FREE))
            continue;
        if (active)
            function->state = FUNCTION_STATE_GUEST;
        g_free(function->holder);
        function->holder =
            g_strdup_printf("guest '%s'%s", guest->name, active ? "" : " (shut off)");
    }
}

void
function_inventory_mark_guests(FunctionInventory *inventory, const GPtrArray *guests)
{
    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, &error);

        /* Its VFs are bound to vfio-pci while it runs, so they still do not count as free. */
        if (domain)
            mark_guest(inventory, guest, domain);
        else
            g_warning("cannot tell which VFs guest '%s' has: %s", guest->name, error->message);
    }
}

void
function_inventory_mark_leases(FunctionInventory *inventory, const GPtrArray *leases)
{
    for (guint i = 0; i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        for (guint k = 0; k < lease->assets->len; k++) {
            const LeaseAsset *asset = lease->assets->pdata[k];
            Function *function = function_inventory_find(inventory, asset->key);

            if (!function || function->state == FUNCTION_STATE_GUEST)
                continue;
            function->state = FUNCTION_STATE_RESERVED;
            g_free(function->holder);
            function->holder =
                g_strdup_printf("lease %s for guest '%s'", lease->id, lease->guest_name);
        }
    }
}

FunctionInventory *
function_inventory_survey(const NetworkHost *host, GError **error)
{
    g_autoptr(GHashTable) addressed = link_addresses_read(error);
    g_autoptr(GPtrArray) guests =
        addressed ? hypervisor_list_guests(host->hypervisor, error) : NULL;

    if (!guests)
        return NULL;
    FunctionInventory *inventory = function_inventory_read(host->sysfs, addressed);
    function_inventory_mark_guests(inventory, guests);
    return inventory;
}

FunctionInventory *
function_inventory_survey_with_leases(const NetworkHost *host, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(host, error);
    g_autoptr(GPtrArray) leases = inventory ? lease_store_list(host->leases, error) : NULL;

    if (!leases)
        return NULL;
    function_inventory_mark_leases(inventory, leases);
    return g_steal_pointer(&inventory);
}

Function *
function_inventory_find(const FunctionInventory *inventory, const char *address)
{
    return address ? g_hash_table_lookup(inventory->by_address, address) : NULL;
}

static const char *
state_name(FunctionState state)
{
    switch (state) {
    case FUNCTION_STATE_FREE:
        return "free";
    case FUNCTION_STATE_RESERVED:
        return "reserved";
    case FUNCTION_STATE_GUEST:
        return "guest";
    case FUNCTION_STATE_HOST:
        return "host";
    case FUNCTION_STATE_FOREIGN:
        return "foreign";
    }
    g_return_val_if_reached("foreign");
}

json_t *
function_to_json(const Function *function, const char *const *networks)
{
    json_t *names = json_array();

    for (gsize i = 0; networks[i]; i++)
        json_array_append_new(names, json_string(networks[i]));
    return json_pack("{s:s, s:s, s:i, s:o, s:s, s:s?, s:s?}", "address", function->address,
                     "physicalFunction", function->physical_function, "index", (int)function->index,
                     "physicalNetworks", names, "state", state_name(function->state), "holder",
                     function->holder, "driver", function->driver);
}
