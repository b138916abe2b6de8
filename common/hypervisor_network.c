/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the XML of libvirt's networks. */
#include "common/hypervisor_network.h"

#include "common/fault.h"
#include "common/pci_address.h"
#include "common/xml_tree.h"

void
hypervisor_network_free(HypervisorNetwork *network)
{
    if (!network)
        return;
    g_free(network->name);
    g_strfreev(network->functions);
    g_free(network->bridge);
    g_free(network);
}

static guint
read_number(const xmlNode *node, const char *name)
{
    g_autofree char *text = xml_tree_attribute(node, name);

    return text ? (guint)g_ascii_strtoull(text, NULL, 0) : 0;
}

static void
add_devices(GStrvBuilder *functions, const xmlNode *forward, const char *element)
{
    for (xmlNode *node = xml_tree_child(forward, element); node;
         node = xml_tree_next(node, element)) {
        g_autofree char *name = xml_tree_attribute(node, "dev");
        if (name)
            g_strv_builder_add(functions, name);
    }
}

static void
add_addresses(GStrvBuilder *functions, const xmlNode *forward)
{
    for (xmlNode *node = xml_tree_child(forward, "address"); node;
         node = xml_tree_next(node, "address")) {
        PciAddress address = { read_number(node, "domain"), read_number(node, "bus"),
                               read_number(node, "slot"), read_number(node, "function") };
        g_autofree char *text =
            xml_tree_attribute_is(node, "type", "pci") ? pci_address_format(&address) : NULL;
        if (text)
            g_strv_builder_add(functions, text);
    }
}

/* libvirt adds the VFs of a <pf> to the list by itself, so they count only where there is none. */
static char **
read_functions(const xmlNode *forward)
{
    g_autoptr(GStrvBuilder) functions = g_strv_builder_new();

    if (!xml_tree_attribute_is(forward, "mode", "hostdev"))
        return NULL;
    if (xml_tree_child(forward, "pf")) {
        add_devices(functions, forward, "pf");
    } else {
        add_addresses(functions, forward);
        add_devices(functions, forward, "interface");
    }
    return g_strv_builder_end(functions);
}

HypervisorNetwork *
hypervisor_network_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "libvirt network", error);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    g_autoptr(HypervisorNetwork) network = g_new0(HypervisorNetwork, 1);

    if (!root)
        return NULL;
    network->name = xml_tree_child_text(root, "name");
    if (!network->name) {
        fault_set(error, FAULT_HYPERVISOR_FAILED, "libvirt network", NULL, "it has no name");
        return NULL;
    }
    network->functions = read_functions(xml_tree_child(root, "forward"));
    network->bridge = xml_tree_attribute(xml_tree_child(root, "bridge"), "name");
    return g_steal_pointer(&network);
}

const HypervisorNetwork *
hypervisor_networks_find(const GPtrArray *networks, const char *name)
{
    for (guint i = 0; i < networks->len; i++) {
        const HypervisorNetwork *network = networks->pdata[i];

        if (g_str_equal(network->name, name))
            return network;
    }
    return NULL;
}
