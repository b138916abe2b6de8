/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the shape of a passthrough vNIC and writes elements of that shape. */
#include "common/vnic_shape.h"

#include "common/fault.h"
#include "common/guest_pci.h"
#include "common/vnic_element.h"

#define USER_ALIAS "ua-"

void
vnic_shape_free(VnicShape *shape)
{
    if (!shape)
        return;
    g_free(shape->alias);
    g_free(shape->mac);
    g_free(shape->network);
    g_free(shape->port_group);
    g_free(shape->teaming);
    g_free(shape->guest_address);
    g_free(shape);
}

VnicShape *
vnic_shape_copy(const VnicShape *shape)
{
    VnicShape *copy = g_memdup2(shape, sizeof *shape);

    if (!copy)
        return NULL;
    copy->alias = g_strdup(shape->alias);
    copy->mac = g_strdup(shape->mac);
    copy->network = g_strdup(shape->network);
    copy->port_group = g_strdup(shape->port_group);
    copy->teaming = g_strdup(shape->teaming);
    copy->guest_address = g_strdup(shape->guest_address);
    return copy;
}

static unsigned
read_number(const xmlNode *node, const char *name, guint64 maximum)
{
    g_autofree char *text = xml_tree_attribute(node, name);
    guint64 value = 0;

    return text && g_ascii_string_to_unsigned(text, 10, 1, maximum, &value, NULL) ? (unsigned)value
                                                                                  : 0;
}

/* A trunk is nothing that a VF can be given as a whole. */
static unsigned
read_vlan(const xmlNode *element)
{
    const xmlNode *vlan = xml_tree_child(element, "vlan");

    return xml_tree_attribute_is(vlan, "trunk", "yes")
               ? 0
               : read_number(xml_tree_child(vlan, "tag"), "id", 4094);
}

static char *
read_alias(const xmlNode *element)
{
    char *alias = xml_tree_attribute(xml_tree_child(element, "alias"), "name");

    if (alias && !g_str_has_prefix(alias, USER_ALIAS))
        g_clear_pointer(&alias, g_free);
    return alias;
}

static char *
read_teaming(const xmlNode *element)
{
    const xmlNode *teaming = xml_tree_child(element, "teaming");

    return xml_tree_attribute_is(teaming, "type", "transient")
               ? xml_tree_attribute(teaming, "persistent")
               : NULL;
}

static void
read_interface(const xmlNode *element, VnicShape *shape)
{
    const xmlNode *source = xml_tree_child(element, "source");
    g_autofree char *mac = xml_tree_attribute(xml_tree_child(element, "mac"), "address");

    if (shape->form == VNIC_FORM_HOSTDEV)
        return;
    shape->mac = mac ? g_ascii_strdown(mac, -1) : NULL;
    shape->vlan = read_vlan(element);
    if (shape->form == VNIC_FORM_INTERFACE)
        return;
    shape->network = xml_tree_attribute(source, "network");
    shape->port_group = xml_tree_attribute(source, "portgroup");
}

VnicShape *
vnic_shape_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "virtual NIC", error);
    g_autoptr(VnicShape) shape = g_new0(VnicShape, 1);
    PciAddress address;

    if (!document)
        return NULL;
    const xmlNode *element = xmlDocGetRootElement(document);
    if (!vnic_element_is_passthrough(element, &shape->form)) {
        fault_set(error, FAULT_HYPERVISOR_FAILED, "virtual NIC", NULL,
                  "it is not a passthrough device");
        return NULL;
    }
    read_interface(element, shape);
    shape->alias = read_alias(element);
    shape->teaming = read_teaming(element);
    if (guest_pci_read_address(element, &address))
        shape->guest_address = pci_address_format(&address);
    shape->boot_order = read_number(xml_tree_child(element, "boot"), "order", G_MAXINT);
    shape->index = read_number(xml_tree_child(element, "acpi"), "index", VNIC_SHAPE_INDEX_MAX);
    shape->rom_off = xml_tree_attribute_is(xml_tree_child(element, "rom"), "bar", "off");
    return g_steal_pointer(&shape);
}

static void
set_number(xmlNode *element, const char *name, unsigned value)
{
    g_autofree char *text = g_strdup_printf("%u", value);

    xml_tree_set(element, name, text);
}

static gboolean
add_address(xmlNode *parent, const char *text, gboolean guest, GError **error)
{
    PciAddress address;

    if (!pci_address_parse(text, &address)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, text, NULL,
                  "it is not a PCI address like 0000:01:10.2");
        return FALSE;
    }
    guest_pci_add_address(parent, &address, guest);
    return TRUE;
}

static xmlNode *
add_root(xmlDoc *document, VnicForm form)
{
    gboolean hostdev = form == VNIC_FORM_HOSTDEV;
    xmlNode *root =
        xmlNewDocNode(document, NULL, (const xmlChar *)(hostdev ? "hostdev" : "interface"), NULL);

    xmlDocSetRootElement(document, root);
    if (hostdev)
        xml_tree_set(root, "mode", "subsystem");
    xml_tree_set(root, "type",
                 hostdev                       ? "pci"
                 : form == VNIC_FORM_INTERFACE ? "hostdev"
                                               : "network");
    if (form != VNIC_FORM_NETWORK)
        xml_tree_set(root, "managed", "yes");
    return root;
}

static gboolean
add_source(xmlNode *root, const VnicShape *shape, const char *function, GError **error)
{
    xmlNode *source = xml_tree_add(root, "source");

    if (shape->form == VNIC_FORM_HOSTDEV)
        return add_address(source, function, FALSE, error);
    if (shape->form == VNIC_FORM_INTERFACE)
        return add_address(source, function, TRUE, error);
    if (!shape->network) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "virtual NIC", NULL, "it names no network");
        return FALSE;
    }
    xml_tree_set(source, "network", shape->network);
    if (shape->port_group)
        xml_tree_set(source, "portgroup", shape->port_group);
    return TRUE;
}

static void
add_options(xmlNode *root, const VnicShape *shape)
{
    if (shape->mac && shape->form != VNIC_FORM_HOSTDEV)
        xml_tree_set(xml_tree_add(root, "mac"), "address", shape->mac);
    if (shape->vlan && shape->form != VNIC_FORM_HOSTDEV)
        set_number(xml_tree_add(xml_tree_add(root, "vlan"), "tag"), "id", shape->vlan);
    if (shape->teaming) {
        xmlNode *teaming = xml_tree_add(root, "teaming");
        xml_tree_set(teaming, "type", "transient");
        xml_tree_set(teaming, "persistent", shape->teaming);
    }
    if (shape->alias && g_str_has_prefix(shape->alias, USER_ALIAS))
        xml_tree_set(xml_tree_add(root, "alias"), "name", shape->alias);
    if (shape->boot_order)
        set_number(xml_tree_add(root, "boot"), "order", shape->boot_order);
    if (shape->rom_off)
        xml_tree_set(xml_tree_add(root, "rom"), "bar", "off");
    if (shape->index)
        set_number(xml_tree_add(root, "acpi"), "index", shape->index);
}

char *
vnic_shape_build(const VnicShape *shape, const char *function, GError **error)
{
    g_autoptr(xmlDoc) document = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *root = add_root(document, shape->form);

    if (!add_source(root, shape, function, error))
        return NULL;
    add_options(root, shape);
    if (shape->guest_address && !add_address(root, shape->guest_address, TRUE, error))
        return NULL;
    return xml_tree_print(root);
}
