/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the judgement whether a definition is of the guest that is to move, and the changes of one.
 */
#include "storprep/destination_xml.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
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

/* Changing. */

static const char *
text_of(const json_t *record, const char *name)
{
    return json_string_value(json_object_get(record, name));
}

static gboolean
refuse(const char *kind, const char *name, const char *cause, GError **error)
{
    g_autofree char *object = g_strdup_printf("%s '%s'", kind, name);

    fault_set(error, FAULT_INVALID_ARGUMENT, object, "see 'virsh domblklist' and 'virsh domiflist'",
              "%s", cause);
    return FALSE;
}

static void
set_attribute(xmlNode *node, const char *name, const char *value)
{
    xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

static void
remove_attribute(xmlNode *node, const char *name)
{
    xmlUnsetProp(node, (const xmlChar *)name);
}

static void
remove_child(xmlNode *node, const char *name)
{
    xmlNode *child = xml_tree_child(node, name);

    if (child) {
        xmlUnlinkNode(child);
        xmlFreeNode(child);
    }
}

static xmlNode *
find_disk(xmlNode *devices, const char *target)
{
    xmlNode *disk = xml_tree_child(devices, "disk");

    while (disk && !xml_tree_attribute_is(xml_tree_child(disk, "target"), "dev", target))
        disk = xml_tree_next(disk, "disk");
    return disk;
}

static gboolean
change_disk(xmlNode *devices, const json_t *record, gboolean all, GError **error)
{
    const char *target = text_of(record, "target");
    const char *path = text_of(record, "path");
    xmlNode *disk = find_disk(devices, target);
    xmlNode *source = xml_tree_child(disk, "source");

    if (path[0] != '/' || strlen(path) > LIMIT_PATH_BYTES)
        return refuse("disk", target, "its new path is not absolute, or too long", error);
    if (!disk)
        return !all || refuse("disk", target, "the guest has none of that name", error);
    if (!source || !xml_tree_attribute_is(disk, "type", "file"))
        return refuse("disk", target, "it is no file that could have another path", error);
    set_attribute(source, "file", path);
    remove_attribute(source, "index");
    remove_child(disk, "backingStore");
    return TRUE;
}

/* An interface names a network or a bridge; with a network, what else stands there is about the
 * port that libvirt gave it here. */
static gboolean
change_interface(xmlNode *interface, const char *from, const char *to)
{
    xmlNode *source = xml_tree_child(interface, "source");

    if (xml_tree_attribute_is(interface, "type", "network") &&
        xml_tree_attribute_is(source, "network", from)) {
        set_attribute(source, "network", to);
        remove_attribute(source, "portid");
        remove_attribute(source, "bridge");
        return TRUE;
    }
    if (!xml_tree_attribute_is(interface, "type", "bridge") ||
        !xml_tree_attribute_is(source, "bridge", from))
        return FALSE;
    set_attribute(source, "bridge", to);
    return TRUE;
}

static gboolean
change_network(xmlNode *devices, const json_t *record, gboolean all, GError **error)
{
    const char *from = text_of(record, "from");
    const char *to = text_of(record, "to");
    gboolean found = FALSE;

    if (!*to || strlen(to) > LIMIT_NAME_BYTES)
        return refuse("network", from, "its new name is empty or too long", error);
    for (xmlNode *interface = xml_tree_child(devices, "interface"); interface;
         interface = xml_tree_next(interface, "interface"))
        found = change_interface(interface, from, to) || found;
    return found || !all || refuse("network", from, "no vNIC of the guest is in it", error);
}

static gboolean
change_all(xmlNode *devices, const DestinationChange *change, gboolean all, GError **error)
{
    for (size_t i = 0; i < json_array_size(change->disk_paths); i++) {
        if (!change_disk(devices, json_array_get(change->disk_paths, i), all, error))
            return FALSE;
    }
    for (size_t i = 0; i < json_array_size(change->networks); i++) {
        if (!change_network(devices, json_array_get(change->networks, i), all, error))
            return FALSE;
    }
    return TRUE;
}

char *
destination_xml_change(const char *xml, const DestinationChange *change, gboolean all,
                       GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;

    if (!document || !change_all(xml_tree_child(root, "devices"), change, all, error))
        return NULL;
    return xml_tree_print(root);
}

/* For a plan. */

static gboolean
check_copied(const MigrationPlan *plan, const json_t *disk_paths, GError **error)
{
    for (size_t i = 0; i < json_array_size(disk_paths) && !plan->unsafe; i++) {
        const char *target = text_of(json_array_get(disk_paths, i), "target");

        if (!g_strv_contains((const char *const *)plan->copy_disks, target))
            return refuse("disk", target, "it is to have another path, but is not copied there",
                          error);
    }
    return TRUE;
}

static gboolean
check_alone(const MigrationPlan *plan, GError **error)
{
    if (!plan->destination_xml && !plan->persistent_xml)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "destinationXml and changes of disks or networks",
              "write the changes into the XML, or leave it out", "both say what it is to be there");
    return FALSE;
}

static char *
change_definition(const MigrationPlan *plan, Hypervisor *hypervisor,
                  const DestinationChange *change, gboolean persistent, GError **error)
{
    g_autofree char *xml =
        hypervisor_get_definition(hypervisor, plan->guest_uuid, persistent, error);

    /* What was plugged into the running guest only need not be in its configuration. */
    return xml ? destination_xml_change(xml, change, !persistent, error) : NULL;
}

gboolean
destination_xml_plan(MigrationPlan *plan, Hypervisor *hypervisor, const DestinationChange *change,
                     GError **error)
{
    if (!json_array_size(change->disk_paths) && !json_array_size(change->networks))
        return TRUE;
    if (!check_alone(plan, error) || !check_copied(plan, change->disk_paths, error))
        return FALSE;
    plan->destination_xml = change_definition(plan, hypervisor, change, FALSE, error);
    if (!plan->destination_xml || !plan->persist)
        return plan->destination_xml != NULL;
    plan->persistent_xml = change_definition(plan, hypervisor, change, TRUE, error);
    return plan->persistent_xml != NULL;
}
