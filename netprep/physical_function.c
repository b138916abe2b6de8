/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds PFs on the PCI bus and the network devices that are their ports. */
#include "netprep/physical_function.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "netprep/sysfs_file.h"

#define PCI_CLASS_NETWORK 0x02
#define FUNCTIONS_MAX     65535 /* what the PCI capability can say */

typedef struct {
    int sysfs;
    const HostLinks *links;
    GPtrArray *functions;
} Reader;

/* A PF's network device; several per PF. */
typedef struct {
    const HostLink *link;
    gint64 number; /* dev_port */
} Port;

static void
physical_function_free(PhysicalFunction *function)
{
    g_free(function->name);
    g_free(function->address);
    g_free(function->port_id);
    g_free(function);
}

static int
read_device_number(int devices, const char *address, const char *name, gint64 *ret_number)
{
    char path[SYSFS_TEXT_BYTES];

    g_snprintf(path, sizeof(path), "%s/%s", address, name);
    return sysfs_read_number(devices, path, ret_number);
}

static int
read_link_text(int sysfs, const char *link, const char *name, char ret_text[SYSFS_TEXT_BYTES])
{
    char path[SYSFS_TEXT_BYTES];

    g_snprintf(path, sizeof(path), "class/net/%s/%s", link, name);
    return sysfs_read_text(sysfs, path, ret_text);
}

/* @fallback where the device has no such number. */
static gint64
read_link_number(int sysfs, const char *link, const char *name, gint64 fallback)
{
    char path[SYSFS_TEXT_BYTES];
    gint64 number = 0;

    g_snprintf(path, sizeof(path), "class/net/%s/%s", link, name);
    return sysfs_read_number(sysfs, path, &number) == 0 ? number : fallback;
}

/* In switchdev mode the PF has a device for each VF's end at the switch, called "pf0vf3" and
 * perhaps with a controller before it; its own is "p0". */
static gboolean
is_representor(int sysfs, const char *link)
{
    char text[SYSFS_TEXT_BYTES];

    if (read_link_text(sysfs, link, "phys_port_name", text) < 0)
        return FALSE;
    const char *name = text;
    if (*name == 'c') {
        for (name++; g_ascii_isdigit(*name); name++)
            ;
    }
    return g_str_has_prefix(name, "pf");
}

/* IPoIB makes child interfaces, one a partition, that name the same device. */
static gboolean
is_child(int sysfs, const char *link)
{
    char text[SYSFS_TEXT_BYTES];

    return read_link_text(sysfs, link, "parent", text) == 0;
}

static int
compare_ports(gconstpointer a, gconstpointer b)
{
    const Port *left = a, *right = b;

    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return strcmp(left->link->name, right->link->name);
}

/* The devices that are ports of the PF at @address, one for each port number. */
static GArray *
find_ports(const Reader *reader, const char *address)
{
    GArray *ports = g_array_new(FALSE, FALSE, sizeof(Port));
    const HostLink *link = host_links_of_device(reader->links, address);

    for (; link; link = link->sibling) {
        if (is_representor(reader->sysfs, link->name) || is_child(reader->sysfs, link->name))
            continue;
        Port port = { link, read_link_number(reader->sysfs, link->name, "dev_port", 0) };
        g_array_append_val(ports, port);
    }
    g_array_sort(ports, compare_ports);
    for (guint i = ports->len; i-- > 1;) {
        if (g_array_index(ports, Port, i).number == g_array_index(ports, Port, i - 1).number)
            g_array_remove_index(ports, i);
    }
    return ports;
}

static PhysicalLink
read_link_state(int sysfs, const char *link)
{
    gint64 flags = read_link_number(sysfs, link, "flags", -1);

    if (flags < 0)
        return PHYSICAL_LINK_UNKNOWN;
    if (!(flags & IFF_UP))
        return PHYSICAL_LINK_DOWN;
    return read_link_number(sysfs, link, "carrier", 0) == 1 ? PHYSICAL_LINK_UP
                                                            : PHYSICAL_LINK_NO_CARRIER;
}

static void
read_port(int sysfs, const char *link, PhysicalFunction *function)
{
    char text[SYSFS_TEXT_BYTES];

    g_free(function->name);
    function->name = g_strdup(link);
    if (read_link_text(sysfs, link, "phys_port_id", text) == 0)
        function->port_id = g_strdup(text);
    function->link = read_link_state(sysfs, link);
    function->mtu = (unsigned)CLAMP(read_link_number(sysfs, link, "mtu", 0), 0, G_MAXINT);
}

static PhysicalFunction *
add_port(const Reader *reader, const char *address, gint64 total, gint64 count, gint64 numa_node)
{
    PhysicalFunction *function = g_new0(PhysicalFunction, 1);

    function->name = g_strdup(address);
    function->address = g_strdup(address);
    function->total = (unsigned)CLAMP(total, 0, FUNCTIONS_MAX);
    function->functions = (unsigned)CLAMP(count, 0, FUNCTIONS_MAX);
    function->numa_node = (int)CLAMP(numa_node, -1, G_MAXINT);
    function->only_port = TRUE;
    g_ptr_array_add(reader->functions, function);
    return function;
}

/* Other devices than network cards have VFs too. */
static gboolean
is_network_card(int devices, const char *address)
{
    gint64 class = 0;

    return read_device_number(devices, address, "class", &class) == 0 &&
           class >> 16 == PCI_CLASS_NETWORK;
}

static int
on_device(int devices, const char *address, void *data)
{
    const Reader *reader = data;
    gint64 total = 0, count = 0, numa_node = -1;
    int status = read_device_number(devices, address, "sriov_totalvfs", &total);

    if (status == 0 && is_network_card(devices, address))
        status = read_device_number(devices, address, "sriov_numvfs", &count);
    else if (status == 0)
        return 0;
    if (status < 0)
        return sysfs_is_absent(status) ? 0 : status;
    (void)read_device_number(devices, address, "numa_node", &numa_node);
    g_autoptr(GArray) ports = find_ports(reader, address);
    for (guint i = 0; i < MAX(ports->len, 1); i++) {
        PhysicalFunction *function = add_port(reader, address, total, count, numa_node);

        function->only_port = ports->len <= 1;
        if (i < ports->len)
            read_port(reader->sysfs, g_array_index(ports, Port, i).link->name, function);
    }
    return 0;
}

/* GLib's sort is stable, so the ports of one card stay in order. */
static int
compare_addresses(gconstpointer a, gconstpointer b)
{
    const PhysicalFunction *const *left = a, *const *right = b;

    return strcmp((*left)->address, (*right)->address);
}

int
physical_functions_read(int sysfs, const HostLinks *links, GPtrArray **ret_functions)
{
    g_autoptr(GPtrArray) functions =
        g_ptr_array_new_with_free_func((GDestroyNotify)physical_function_free);
    Reader reader = { sysfs, links, functions };
    int status = sysfs_each(sysfs, "bus/pci/devices", on_device, &reader);

    if (status < 0 && !sysfs_is_absent(status))
        return status;
    g_ptr_array_sort(functions, compare_addresses);
    *ret_functions = g_steal_pointer(&functions);
    return 0;
}
