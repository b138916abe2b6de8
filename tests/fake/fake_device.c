/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_device.h"

#include <string.h>

#include "common/xml_tree.h"

static xmlNode *
find_alias(xmlNode *devices, const char *alias)
{
    for (xmlNode *device = xml_tree_child(devices, NULL); device;
         device = xml_tree_next(device, NULL))
        if (xml_tree_attribute_is(xml_tree_child(device, "alias"), "name", alias))
            return device;
    return NULL;
}

/* What tells one device from another: its type, its host address, its MAC. */
static char *
identity(xmlNode *device)
{
    xmlNode *source = xml_tree_child(device, "source");
    xmlNode *address = xml_tree_child(source, "address");
    g_autofree char *bus = xml_tree_attribute(address, "bus");
    g_autofree char *slot = xml_tree_attribute(address, "slot");
    g_autofree char *function = xml_tree_attribute(address, "function");
    g_autofree char *type = xml_tree_attribute(device, "type");
    g_autofree char *mac = xml_tree_attribute(xml_tree_child(device, "mac"), "address");

    return g_strdup_printf("%s %s %s %s %s %s", (const char *)device->name, type ? type : "-",
                           bus ? bus : "-", slot ? slot : "-", function ? function : "-",
                           mac ? mac : "-");
}

static xmlNode *
find_like(xmlNode *devices, xmlNode *wanted)
{
    g_autofree char *wanted_identity = identity(wanted);

    for (xmlNode *device = xml_tree_child(devices, NULL); device;
         device = xml_tree_next(device, NULL)) {
        g_autofree char *other = identity(device);
        if (strcmp(other, wanted_identity) == 0)
            return device;
    }
    return NULL;
}

static xmlNode *
find_device(xmlNode *devices, const char *alias_or_xml)
{
    if (*alias_or_xml != '<')
        return find_alias(devices, alias_or_xml);
    g_autoptr(xmlDoc) wanted = xml_tree_parse(alias_or_xml, "fake device", NULL);
    return find_like(devices, xmlDocGetRootElement(wanted));
}

char *
fake_device_find_alias(const char *xml, const char *alias_or_xml)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "fake domain", NULL);
    xmlNode *devices = xml_tree_child(xmlDocGetRootElement(document), "devices");

    return xml_tree_attribute(xml_tree_child(find_device(devices, alias_or_xml), "alias"), "name");
}

gboolean
fake_device_remove(char **xml, const char *alias_or_xml)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(*xml, "fake domain", NULL);
    xmlNode *devices = xml_tree_child(xmlDocGetRootElement(document), "devices");
    xmlNode *found = find_device(devices, alias_or_xml);

    if (!found)
        return FALSE;
    xmlUnlinkNode(found);
    xmlFreeNode(found);
    g_free(*xml);
    *xml = xml_tree_print(xmlDocGetRootElement(document));
    return TRUE;
}

static gboolean
is_taken(xmlNode *devices, const char *slot)
{
    for (xmlNode *device = xml_tree_child(devices, NULL); device;
         device = xml_tree_next(device, NULL)) {
        if (xml_tree_attribute_is(xml_tree_child(device, "address"), "slot", slot))
            return TRUE;
    }
    return FALSE;
}

/* libvirt gives a vNIC without a place in the guest the first one that is free. */
static void
place(xmlNode *devices, xmlNode *device)
{
    g_autofree char *slot = NULL;

    if (!xmlStrEqual(device->name, (const xmlChar *)"interface") ||
        xml_tree_child(device, "address"))
        return;
    for (unsigned number = 3; !slot || is_taken(devices, slot); number++) {
        g_free(slot);
        slot = g_strdup_printf("0x%02x", number);
    }
    xmlNode *address = xml_tree_add(device, "address");
    xml_tree_set(address, "type", "pci");
    xml_tree_set(address, "domain", "0x0000");
    xml_tree_set(address, "bus", "0x00");
    xml_tree_set(address, "slot", slot);
    xml_tree_set(address, "function", "0x0");
}

gboolean
fake_device_add(char **xml, const char *device_xml, const char *alias)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(*xml, "fake domain", NULL);
    g_autoptr(xmlDoc) addition = xml_tree_parse(device_xml, "fake device", NULL);
    xmlNode *devices = xml_tree_child(xmlDocGetRootElement(document), "devices");

    if (!addition || find_like(devices, xmlDocGetRootElement(addition)))
        return FALSE;
    xmlNode *device = xmlDocCopyNode(xmlDocGetRootElement(addition), document, 1);
    place(devices, device);
    xmlAddChild(devices, device);
    if (alias && !xml_tree_child(device, "alias"))
        xml_tree_set(xml_tree_add(device, "alias"), "name", alias);
    g_free(*xml);
    *xml = xml_tree_print(xmlDocGetRootElement(document));
    return TRUE;
}
