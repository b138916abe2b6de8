/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Merges the configuration's physical networks with libvirt's. */
#include "netprep/physical_network.h"

#include <string.h>

/* How a network became known; the order is that of preference. */
typedef enum {
    ORIGIN_CONFIGURATION,
    ORIGIN_FUNCTIONS, /* libvirt's network of VFs */
    ORIGIN_BRIDGE,    /* libvirt's network of a bridge that a PF leads to */
} Origin;

typedef struct {
    char *name;
    Origin origin;
    char *bridge;
    GPtrArray *ports;   /* of char *: names of PFs */
    GPtrArray *missing; /* of char *: what names no PF of this host */
} PhysicalNetwork;

struct PhysicalNetworks {
    GPtrArray *all; /* of PhysicalNetwork *, best first */
};

static void
physical_network_free(PhysicalNetwork *network)
{
    g_free(network->name);
    g_free(network->bridge);
    g_ptr_array_unref(network->ports);
    g_ptr_array_unref(network->missing);
    g_free(network);
}

void
physical_networks_free(PhysicalNetworks *networks)
{
    if (!networks)
        return;
    g_ptr_array_unref(networks->all);
    g_free(networks);
}

static PhysicalNetwork *
find(const PhysicalNetworks *networks, const char *name)
{
    for (guint i = 0; i < networks->all->len; i++) {
        PhysicalNetwork *network = networks->all->pdata[i];
        if (strcmp(network->name, name) == 0)
            return network;
    }
    return NULL;
}

static PhysicalNetwork *
add(PhysicalNetworks *networks, const char *name, Origin origin, const char *bridge)
{
    PhysicalNetwork *network = g_new0(PhysicalNetwork, 1);

    network->name = g_strdup(name);
    network->origin = origin;
    network->bridge = g_strdup(bridge);
    network->ports = g_ptr_array_new_with_free_func(g_free);
    network->missing = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(networks->all, network);
    return network;
}

static void
add_text(GPtrArray *texts, const char *text)
{
    if (!g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
        g_ptr_array_add(texts, g_strdup(text));
}

static void
add_ports(PhysicalNetwork *network, const FunctionInventory *inventory, char *const *names)
{
    for (char *const *name = names; *name; name++) {
        const PhysicalFunction *port = function_inventory_find_port(inventory, *name);

        if (port)
            add_text(network->ports, port->name);
        else
            add_text(network->missing, *name);
    }
}

static const char *
bridge_of_port(const FunctionInventory *inventory, const char *port)
{
    const HostLink *link = host_links_find(inventory->links, port);

    return link ? host_link_bridge(link) : NULL;
}

/* The PFs that @bridge has as ports. */
static void
add_bridge_ports(PhysicalNetwork *network, const FunctionInventory *inventory)
{
    for (guint i = 0; i < inventory->physical_functions->len; i++) {
        const PhysicalFunction *port = inventory->physical_functions->pdata[i];

        if (g_strcmp0(bridge_of_port(inventory, port->name), network->bridge) == 0)
            add_text(network->ports, port->name);
    }
}

static void
find_bridge(PhysicalNetwork *network, const FunctionInventory *inventory)
{
    for (guint i = 0; i < network->ports->len && !network->bridge; i++)
        network->bridge = g_strdup(bridge_of_port(inventory, network->ports->pdata[i]));
}

/* A network that the configuration knows too keeps what that says. */
static void
add_discovered(PhysicalNetworks *networks, const FunctionInventory *inventory,
               const HypervisorNetwork *discovered)
{
    PhysicalNetwork *network = find(networks, discovered->name);
    Origin origin = discovered->functions ? ORIGIN_FUNCTIONS : ORIGIN_BRIDGE;

    if (network && (network->ports->len > 0 || network->missing->len > 0))
        return;
    if (!network)
        network = add(networks, discovered->name, origin, NULL);
    if (!network->bridge)
        network->bridge = g_strdup(discovered->bridge);
    if (discovered->functions)
        add_ports(network, inventory, discovered->functions);
    else if (discovered->bridge)
        add_bridge_ports(network, inventory);
}

static void
add_configured(PhysicalNetworks *networks, const Config *config, const FunctionInventory *inventory)
{
    GHashTableIter iter;
    void *name, *value;

    if (!config->physical_networks)
        return;
    g_hash_table_iter_init(&iter, config->physical_networks);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        const ConfigNetwork *configured = value;
        PhysicalNetwork *network = add(networks, name, ORIGIN_CONFIGURATION, configured->bridge);

        if (configured->functions)
            add_ports(network, inventory, configured->functions);
    }
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const PhysicalNetwork *const *left = a, *const *right = b;

    if ((*left)->origin != (*right)->origin)
        return (*left)->origin < (*right)->origin ? -1 : 1;
    return strcmp((*left)->name, (*right)->name);
}

/* libvirt's networks that no card of this host belongs to, like its own one behind NAT, are none of
 * ours. */
static void
finish(PhysicalNetworks *networks, const FunctionInventory *inventory)
{
    for (guint i = networks->all->len; i-- > 0;) {
        PhysicalNetwork *network = networks->all->pdata[i];

        find_bridge(network, inventory);
        if (network->origin == ORIGIN_BRIDGE && network->ports->len == 0)
            g_ptr_array_remove_index(networks->all, i);
    }
    g_ptr_array_sort(networks->all, compare);
}

PhysicalNetworks *
physical_networks_read(const NetworkHost *host, const FunctionInventory *inventory, GError **error)
{
    g_autoptr(GPtrArray) discovered = hypervisor_list_networks(host->hypervisor, error);

    if (!discovered)
        return NULL;
    PhysicalNetworks *networks = g_new0(PhysicalNetworks, 1);
    networks->all = g_ptr_array_new_with_free_func((GDestroyNotify)physical_network_free);
    add_configured(networks, host->config, inventory);
    for (guint i = 0; i < discovered->len; i++)
        add_discovered(networks, inventory, discovered->pdata[i]);
    finish(networks, inventory);
    return networks;
}

gboolean
physical_networks_contain(const PhysicalNetworks *networks, const char *name)
{
    return find(networks, name) != NULL;
}

static gboolean
leads(const PhysicalNetwork *network, const char *port)
{
    return g_ptr_array_find_with_equal_func(network->ports, port, g_str_equal, NULL);
}

gboolean
physical_networks_lead(const PhysicalNetworks *networks, const char *name,
                       const char *physical_function)
{
    const PhysicalNetwork *network = find(networks, name);

    return network && leads(network, physical_function);
}

char **
physical_networks_of(const PhysicalNetworks *networks, const char *physical_function)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    for (guint i = 0; i < networks->all->len; i++) {
        const PhysicalNetwork *network = networks->all->pdata[i];
        if (leads(network, physical_function))
            g_strv_builder_add(names, network->name);
    }
    return g_strv_builder_end(names);
}

const char *
physical_networks_bridge(const PhysicalNetworks *networks, const char *name)
{
    const PhysicalNetwork *network = find(networks, name);

    return network ? network->bridge : NULL;
}

/* Whether a port of ours is up is known as soon as it has a network device. */
static json_t *
known_boolean(const PhysicalFunction *port, gboolean value)
{
    return port->link == PHYSICAL_LINK_UNKNOWN ? json_null() : json_boolean(value);
}

static int
count_free(const FunctionInventory *inventory, const PhysicalFunction *port)
{
    int count = 0;

    for (guint i = 0; i < inventory->functions->len; i++) {
        const Function *function = inventory->functions->pdata[i];
        count += function->port == port && function->state == FUNCTION_STATE_FREE;
    }
    return count;
}

static json_t *
port_to_json(const FunctionInventory *inventory, const char *name)
{
    const PhysicalFunction *port = function_inventory_find_port(inventory, name);

    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:i}", "name", port->name, "address",
                     port->address, "up", known_boolean(port, port->link != PHYSICAL_LINK_DOWN),
                     "carrier", known_boolean(port, port->link == PHYSICAL_LINK_UP), "mtu",
                     port->mtu ? json_integer(port->mtu) : json_null(), "numaNode",
                     port->numa_node < 0 ? json_null() : json_integer(port->numa_node),
                     "totalFunctions", (int)port->total, "functions", (int)port->functions, "free",
                     count_free(inventory, port));
}

static json_t *
network_to_json(const PhysicalNetwork *network, const FunctionInventory *inventory)
{
    json_t *ports = json_array(), *missing = json_array();
    const char *source = network->origin == ORIGIN_CONFIGURATION ? "configuration" : "libvirt";

    for (guint i = 0; i < network->ports->len; i++)
        json_array_append_new(ports, port_to_json(inventory, network->ports->pdata[i]));
    for (guint i = 0; i < network->missing->len; i++)
        json_array_append_new(missing, json_string(network->missing->pdata[i]));
    return json_pack("{s:s, s:s, s:s?, s:o, s:o}", "name", network->name, "source", source,
                     "bridge", network->bridge, "physicalFunctions", ports, "missing", missing);
}

json_t *
physical_networks_to_json(const PhysicalNetworks *networks, const FunctionInventory *inventory)
{
    json_t *array = json_array();

    for (guint i = 0; i < networks->all->len; i++)
        json_array_append_new(array, network_to_json(networks->all->pdata[i], inventory));
    return array;
}
