/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the XML that is handed to libvirt: a <hostdev>, and a domain without its own. */
#include "common/domain_xml.h"
#include "common/fault.h"
#include "common/pci_address.h"
#include "common/vnic_element.h"
#include "common/xml_tree.h"

static void
set_hex(xmlNode *element, const char *name, int digits, guint value)
{
    g_autofree char *text = g_strdup_printf("0x%0*x", digits, value);

    xml_tree_set(element, name, text);
}

static void
add_address(xmlNode *parent, const PciAddress *address, const char *type)
{
    xmlNode *element = xml_tree_add(parent, "address");

    if (type)
        xml_tree_set(element, "type", type);
    set_hex(element, "domain", 4, address->domain);
    set_hex(element, "bus", 2, address->bus);
    set_hex(element, "slot", 2, address->slot);
    set_hex(element, "function", 1, address->function);
}

static gboolean
parse_address(const char *text, PciAddress *ret_address, GError **error)
{
    if (pci_address_parse(text, ret_address))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, text, NULL,
              "it is not a PCI address like 0000:01:10.2");
    return FALSE;
}

/* libvirt names the others itself, and refuses a name that only looks like one of its own. */
static gboolean
is_user_alias(const char *alias)
{
    return alias && g_str_has_prefix(alias, "ua-");
}

char *
domain_xml_build_hostdev(const char *function, const char *guest_address, const char *alias,
                         GError **error)
{
    PciAddress host, guest = { 0 };

    if (!parse_address(function, &host, error) ||
        (guest_address && !parse_address(guest_address, &guest, error)))
        return NULL;
    g_autoptr(xmlDoc) document = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *device = xmlNewDocNode(document, NULL, (const xmlChar *)"hostdev", NULL);

    xmlDocSetRootElement(document, device);
    xml_tree_set(device, "mode", "subsystem");
    xml_tree_set(device, "type", "pci");
    xml_tree_set(device, "managed", "yes");
    add_address(xml_tree_add(device, "source"), &host, NULL);
    if (is_user_alias(alias))
        xml_tree_set(xml_tree_add(device, "alias"), "name", alias);
    if (guest_address)
        add_address(device, &guest, "pci");
    return xml_tree_print(device);
}

char *
domain_xml_without_passthrough(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);

    if (!document)
        return NULL;
    xmlNode *root = xmlDocGetRootElement(document);
    xmlNode *next;

    for (xmlNode *element = xml_tree_child(xml_tree_child(root, "devices"), NULL); element;
         element = next) {
        VnicForm form;

        next = xml_tree_next(element, NULL);
        if (vnic_element_is_passthrough(element, &form)) {
            xmlUnlinkNode(element);
            xmlFreeNode(element);
        }
    }
    return xml_tree_print(root);
}
