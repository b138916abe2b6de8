/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the form of a guest's policy in its metadata. */
#include "storprep/guest_policy.h"

#include "common/fault.h"
#include "common/xml_tree.h"

#define PREFIX "migprep"

static xmlNode *
find_policy(const xmlDoc *document)
{
    xmlNode *metadata = xml_tree_child(xmlDocGetRootElement((xmlDoc *)document), "metadata");

    for (xmlNode *node = xml_tree_child(metadata, "policy"); node;
         node = xml_tree_next(node, "policy")) {
        if (node->ns && xmlStrEqual(node->ns->href, (const xmlChar *)GUEST_POLICY_NAMESPACE))
            return node;
    }
    return NULL;
}

static gboolean
refuse(const xmlDoc *document, const char *name, const char *mistake, GError **error)
{
    g_autofree char *guest = xml_tree_child_text(xmlDocGetRootElement((xmlDoc *)document), "name");
    g_autofree char *object = g_strdup_printf("guest '%s': policy %s", guest ? guest : "", name);
    g_autofree char *remedy =
        g_strdup_printf("set it with 'migprep policy %s %s=VALUE'", guest ? guest : "GUEST", name);

    fault_set(error, FAULT_INVALID_ARGUMENT, object, remedy, "%s", mistake);
    return FALSE;
}

gboolean
guest_policy_read(const char *xml, PolicySettings *ret_settings, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);
    PolicySettings settings = { 0 };

    if (!document)
        return FALSE;
    const xmlNode *policy = find_policy(document);
    for (int key = 0; policy && key < POLICY_KEYS; key++) {
        g_autofree char *text = xml_tree_child_text(policy, policy_key_name((PolicyKey)key));
        g_autofree char *mistake = NULL;

        if (!text)
            continue;
        if (!policy_parse((PolicyKey)key, POLICY_LEVEL_GUEST, text, &settings.values[key],
                          &mistake))
            return refuse(document, policy_key_name((PolicyKey)key), mistake, error);
        settings.is_set[key] = TRUE;
    }
    *ret_settings = settings;
    return TRUE;
}

gboolean
guest_policy_read_place(const char *xml, GuestPlace *ret_place, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);
    g_auto(GuestPlace) place = { 0 };

    if (!document)
        return FALSE;
    const xmlNode *policy = find_policy(document);
    for (int key = 0; policy && key < GUEST_PLACE_KEYS; key++) {
        const char *name = guest_place_key_name((GuestPlaceKey)key);
        g_autofree char *mistake = NULL;

        place.values[key] = xml_tree_child_text(policy, name);
        if (place.values[key] &&
            !guest_place_check((GuestPlaceKey)key, place.values[key], &mistake))
            return refuse(document, name, mistake, error);
    }
    *ret_place = place;
    place = (GuestPlace) { 0 };
    return TRUE;
}

static gboolean
check_value(const char *name, const char *value, char **ret_mistake)
{
    GuestPlaceKey place;
    PolicyKey key;
    guint64 parsed;

    if (policy_key_from_name(name, &key))
        return !value || policy_parse(key, POLICY_LEVEL_GUEST, value, &parsed, ret_mistake);
    if (guest_place_key_from_name(name, &place))
        return !value || guest_place_check(place, value, ret_mistake);
    *ret_mistake = g_strdup("there is no such policy; 'migprep policy GUEST' lists them");
    return FALSE;
}

/* A copy of what there is, or a new one, in a document of its own: libvirt gives it its prefix. */
static xmlDoc *
copy_policy(const xmlDoc *document)
{
    xmlDoc *copy = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *policy = find_policy(document);
    xmlNode *root = xmlNewDocNode(copy, NULL, (const xmlChar *)"policy", NULL);

    xmlDocSetRootElement(copy, root);
    for (const xmlNode *child = xml_tree_child(policy, NULL); child;
         child = xml_tree_next(child, NULL)) {
        g_autofree char *text = xml_tree_child_text(policy, (const char *)child->name);

        xmlNewTextChild(root, NULL, child->name, (const xmlChar *)text);
    }
    return copy;
}

gboolean
guest_policy_change(const char *xml, const char *name, const char *value, char **ret_element,
                    GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);
    g_autofree char *mistake = NULL;

    if (!document)
        return FALSE;
    if (!check_value(name, value, &mistake))
        return refuse(document, name, mistake, error);
    g_autoptr(xmlDoc) policy = copy_policy(document);
    xmlNode *root = xmlDocGetRootElement(policy);
    xmlNode *old = xml_tree_child(root, name);
    if (old) {
        xmlUnlinkNode(old);
        xmlFreeNode(old);
    }
    if (value)
        xmlNewTextChild(root, NULL, (const xmlChar *)name, (const xmlChar *)value);
    *ret_element = xml_tree_child(root, NULL) ? xml_tree_print(root) : NULL;
    return TRUE;
}

gboolean
guest_policy_set(Hypervisor *hypervisor, const Guest *guest, const char *name, const char *value,
                 GError **error)
{
    gboolean active = guest->state == GUEST_STATE_RUNNING || guest->state == GUEST_STATE_PAUSED;
    DeviceScope scope = (active ? DEVICE_LIVE : 0U) | (guest->persistent ? DEVICE_CONFIG : 0U);
    g_autofree char *element = NULL;

    return guest_policy_change(guest->xml, name, value, &element, error) &&
           hypervisor_set_metadata(hypervisor, guest->uuid, GUEST_POLICY_NAMESPACE, PREFIX, element,
                                   scope, error);
}
