/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes libvirt's network ports. */
#include "common/network_port.h"

#include "common/fault.h"
#include "common/guest_pci.h"

void
network_port_free(NetworkPort *port)
{
    if (!port)
        return;
    g_free(port->network);
    g_free(port->uuid);
    g_free(port->owner);
    g_free(port->owner_uuid);
    g_free(port->mac);
    g_free(port->function);
    g_free(port);
}

NetworkPort *
network_port_copy(const NetworkPort *port)
{
    NetworkPort *copy = g_new0(NetworkPort, 1);

    copy->network = g_strdup(port->network);
    copy->uuid = g_strdup(port->uuid);
    copy->owner = g_strdup(port->owner);
    copy->owner_uuid = g_strdup(port->owner_uuid);
    copy->mac = g_strdup(port->mac);
    copy->function = g_strdup(port->function);
    return copy;
}

NetworkPort *
network_port_parse(const char *network, const char *xml)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "network port", NULL);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    const xmlNode *owner = xml_tree_child(root, "owner");
    const xmlNode *plug = xml_tree_child(root, "plug");
    PciAddress address;

    if (!xml_tree_attribute_is(plug, "type", "hostdev-pci") ||
        !guest_pci_read_address(plug, &address))
        return NULL;
    g_autoptr(NetworkPort) port = g_new0(NetworkPort, 1);
    port->network = g_strdup(network);
    port->uuid = xml_tree_child_text(root, "uuid");
    port->owner = xml_tree_child_text(owner, "name");
    port->owner_uuid = xml_tree_child_text(owner, "uuid");
    port->mac = xml_tree_attribute(xml_tree_child(root, "mac"), "address");
    port->function = pci_address_format(&address);
    return port->uuid && port->owner && port->owner_uuid ? g_steal_pointer(&port) : NULL;
}

static void
add_text(xmlNode *parent, const char *name, const char *text)
{
    xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

char *
network_port_build(const NetworkPort *port, GError **error)
{
    PciAddress address;

    if (!pci_address_parse(port->function, &address)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, port->function, NULL,
                  "it is not a PCI address like 0000:01:10.2");
        return NULL;
    }
    g_autoptr(xmlDoc) document = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *root = xmlNewDocNode(document, NULL, (const xmlChar *)"networkport", NULL);
    xmlDocSetRootElement(document, root);
    add_text(root, "uuid", port->uuid);
    xmlNode *owner = xml_tree_add(root, "owner");
    add_text(owner, "name", port->owner);
    add_text(owner, "uuid", port->owner_uuid);
    xml_tree_set(xml_tree_add(root, "mac"), "address", port->mac);
    xmlNode *plug = xml_tree_add(root, "plug");
    xml_tree_set(plug, "type", "hostdev-pci");
    xml_tree_set(plug, "managed", "yes");
    xml_tree_set(xml_tree_add(plug, "driver"), "name", "vfio");
    guest_pci_add_address(plug, &address, FALSE);
    return xml_tree_print(root);
}
