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
refuse(const xmlDoc *document, PolicyKey key, const char *mistake, GError **error)
{
    g_autofree char *guest = xml_tree_child_text(xmlDocGetRootElement((xmlDoc *)document), "name");
    g_autofree char *object =
        g_strdup_printf("guest '%s': policy %s", guest ? guest : "", policy_key_name(key));
    g_autofree char *remedy = g_strdup_printf("set it with 'migprep policy %s %s=VALUE'",
                                              guest ? guest : "GUEST", policy_key_name(key));

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
            return refuse(document, (PolicyKey)key, mistake, error);
        settings.is_set[key] = TRUE;
    }
    *ret_settings = settings;
    return TRUE;
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
guest_policy_change(const char *xml, PolicyKey key, const char *value, char **ret_element,
                    GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);
    const char *name = policy_key_name(key);
    g_autofree char *mistake = NULL;
    guint64 parsed;

    if (!document)
        return FALSE;
    if (value && !policy_parse(key, POLICY_LEVEL_GUEST, value, &parsed, &mistake))
        return refuse(document, key, mistake, error);
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
guest_policy_set(Hypervisor *hypervisor, const Guest *guest, PolicyKey key, const char *value,
                 GError **error)
{
    gboolean active = guest->state == GUEST_STATE_RUNNING || guest->state == GUEST_STATE_PAUSED;
    DeviceScope scope = (active ? DEVICE_LIVE : 0U) | (guest->persistent ? DEVICE_CONFIG : 0U);
    g_autofree char *element = NULL;

    return guest_policy_change(guest->xml, key, value, &element, error) &&
           hypervisor_set_metadata(hypervisor, guest->uuid, GUEST_POLICY_NAMESPACE, PREFIX, element,
                                   scope, error);
}
