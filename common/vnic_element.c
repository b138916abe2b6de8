/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns which device elements are passthrough vNICs and which are VirtIO ones. */
#include "common/vnic_element.h"

static gboolean
is_named(const xmlNode *element, const char *name)
{
    return xmlStrEqual(element->name, (const xmlChar *)name);
}

static gboolean
is_passthrough_hostdev(const xmlNode *element)
{
    g_autofree char *mode = xml_tree_attribute(element, "mode");

    return (!mode || g_strcmp0(mode, "subsystem") == 0) &&
           xml_tree_attribute_is(element, "type", "pci");
}

static gboolean
is_passthrough_network(const xmlNode *element)
{
    return xml_tree_child(xml_tree_child(element, "source"), "address") ||
           xml_tree_attribute_is(xml_tree_child(element, "teaming"), "type", "transient") ||
           !xml_tree_child(element, "model");
}

gboolean
vnic_element_is_passthrough(const xmlNode *element, VnicForm *ret_form)
{
    VnicForm form;

    if (is_named(element, "hostdev") && is_passthrough_hostdev(element))
        form = VNIC_FORM_HOSTDEV;
    else if (!is_named(element, "interface"))
        return FALSE;
    else if (xml_tree_attribute_is(element, "type", "hostdev"))
        form = VNIC_FORM_INTERFACE;
    else if (xml_tree_attribute_is(element, "type", "network") && is_passthrough_network(element))
        form = VNIC_FORM_NETWORK;
    else
        return FALSE;
    *ret_form = form;
    return TRUE;
}

gboolean
vnic_element_is_virtio(const xmlNode *element)
{
    g_autofree char *model = xml_tree_attribute(xml_tree_child(element, "model"), "type");

    return is_named(element, "interface") && model && g_str_has_prefix(model, "virtio");
}
