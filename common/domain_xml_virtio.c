/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the XML of VirtIO vNICs that is handed to libvirt. */
#include "common/domain_xml.h"
#include "common/fault.h"
#include "common/xml_tree.h"

char *
domain_xml_build_virtio_nic(const char *bridge, const char *mac)
{
    g_autoptr(xmlDoc) document = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *device = xmlNewDocNode(document, NULL, (const xmlChar *)"interface", NULL);

    xmlDocSetRootElement(document, device);
    xml_tree_set(device, "type", "bridge");
    xml_tree_set(xml_tree_add(device, "mac"), "address", mac);
    xml_tree_set(xml_tree_add(device, "source"), "bridge", bridge);
    xml_tree_set(xml_tree_add(device, "model"), "type", "virtio");
    return xml_tree_print(device);
}

char *
domain_xml_without_filter(const char *nic_xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(nic_xml, "virtual NIC", error);

    if (!document)
        return NULL;
    xmlNode *root = xmlDocGetRootElement(document);
    xmlNode *filter;
    while ((filter = xml_tree_child(root, "filterref"))) {
        xmlUnlinkNode(filter);
        xmlFreeNode(filter);
    }
    return xml_tree_print(root);
}
