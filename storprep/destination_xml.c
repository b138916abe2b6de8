/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the judgement whether a definition is of the guest that is to move. */
#include "storprep/destination_xml.h"

#include "common/fault.h"
#include "common/xml_tree.h"

static const char *
find_mistake(xmlNode *root, const Guest *guest)
{
    g_autofree char *name = xml_tree_child_text(root, "name");
    g_autofree char *uuid = xml_tree_child_text(root, "uuid");

    if (!xmlStrEqual(root->name, (const xmlChar *)"domain"))
        return "it is no <domain>";
    if (g_strcmp0(name, guest->name) != 0)
        return "its name is not the guest's";
    if (!uuid || g_ascii_strcasecmp(uuid, guest->uuid) != 0)
        return "its UUID is not the guest's";
    return NULL;
}

gboolean
destination_xml_check(const char *member, const char *xml, const Guest *guest, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, member, &failure);
    const char *mistake =
        document ? find_mistake(xmlDocGetRootElement(document), guest) : fault_cause(failure);

    if (!mistake)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, member,
              "start from 'virsh dumpxml --migratable' of the guest, or with --inactive for the "
              "persistent one",
              "%s", mistake);
    return FALSE;
}
