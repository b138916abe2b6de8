/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the XML of a domain without its passthrough devices. */
#include "common/domain_xml.h"
#include "common/vnic_element.h"
#include "common/xml_tree.h"

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
