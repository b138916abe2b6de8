/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the way from a guest's PCI device up to its root bus. */
#include "common/guest_pci.h"

#define HOPS_MAXIMUM 32 /* more are a loop: PCI allows 256 buses, QEMU machines nest a few */

static gboolean
read_number(const xmlNode *node, const char *name, guint maximum, guint *ret_value)
{
    g_autofree char *text = xml_tree_attribute(node, name);
    guint64 value = 0;

    if (!text)
        return FALSE;
    gboolean hex = g_str_has_prefix(text, "0x");

    if (!g_ascii_string_to_unsigned(hex ? text + 2 : text, hex ? 16 : 10, 0, maximum, &value, NULL))
        return FALSE;
    *ret_value = (guint)value;
    return TRUE;
}

/* libvirt leaves no part out when it writes an address, but a domain may be zero by absence. */
static gboolean
read_address_element(const xmlNode *element, PciAddress *ret_address)
{
    PciAddress address = { 0 };
    g_autofree char *domain = xml_tree_attribute(element, "domain");

    if ((domain && !read_number(element, "domain", 0xffff, &address.domain)) ||
        !read_number(element, "bus", 0xff, &address.bus) ||
        !read_number(element, "slot", 0x1f, &address.slot) ||
        !read_number(element, "function", 7, &address.function))
        return FALSE;
    *ret_address = address;
    return TRUE;
}

gboolean
guest_pci_read_address(const xmlNode *node, PciAddress *ret_address)
{
    const xmlNode *element = xml_tree_child(node, "address");
    g_autofree char *type = xml_tree_attribute(element, "type");

    if (!element || (type && g_strcmp0(type, "pci") != 0))
        return FALSE;
    return read_address_element(element, ret_address);
}

static void
set_hex(xmlNode *element, const char *name, int digits, guint value)
{
    g_autofree char *text = g_strdup_printf("0x%0*x", digits, value);

    xml_tree_set(element, name, text);
}

void
guest_pci_add_address(xmlNode *parent, const PciAddress *address, gboolean typed)
{
    xmlNode *element = xml_tree_add(parent, "address");

    if (typed)
        xml_tree_set(element, "type", "pci");
    set_hex(element, "domain", 4, address->domain);
    set_hex(element, "bus", 2, address->bus);
    set_hex(element, "slot", 2, address->slot);
    set_hex(element, "function", 1, address->function);
}

static const xmlNode *
find_controller(const xmlNode *devices, guint bus)
{
    guint index;

    for (const xmlNode *node = xml_tree_child(devices, "controller"); node;
         node = xml_tree_next(node, "controller")) {
        if (xml_tree_attribute_is(node, "type", "pci") &&
            read_number(node, "index", 0xff, &index) && index == bus)
            return node;
    }
    return NULL;
}

/* Buses that a guest sees as roots of their own: nothing above them is in its sysfs path. */
static gboolean
is_root_bus(const xmlNode *controller, guint bus)
{
    return bus == 0 || xml_tree_attribute_is(controller, "model", "pcie-expander-bus") ||
           xml_tree_attribute_is(controller, "model", "pci-expander-bus");
}

char *
guest_pci_path(const xmlNode *devices, const PciAddress *address)
{
    g_autoptr(GString) path = g_string_new(NULL);
    PciAddress hop = *address;

    for (guint hops = 0; hops < HOPS_MAXIMUM; hops++) {
        g_autofree char *text = g_strdup_printf("%02x.%x", hop.slot, hop.function);

        if (path->len > 0)
            g_string_prepend_c(path, '/');
        g_string_prepend(path, text);
        const xmlNode *controller = find_controller(devices, hop.bus);

        if (is_root_bus(controller, hop.bus))
            return g_string_free(g_steal_pointer(&path), FALSE);
        if (!guest_pci_read_address(controller, &hop))
            return NULL;
    }
    return NULL;
}
