/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns vNICs into JSON and back, distrusting what comes in. */
#include "common/limits.h"
#include "netprep/text_check.h"
#include "netprep/vnic.h"

static const char *const form_names[] = {
    [VNIC_FORM_HOSTDEV] = "hostdev",
    [VNIC_FORM_INTERFACE] = "interface",
    [VNIC_FORM_NETWORK] = "network",
};

json_t *
vnic_to_json(const Vnic *vnic)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:s?, s:b}", "alias",
                     vnic->alias, "function", vnic->function, "form", form_names[vnic->form],
                     "guestAddress", vnic->guest_address, "guestPath", vnic->guest_path,
                     "macAddress", vnic->mac, "physicalNetwork", vnic->physical_network, "settings",
                     function_settings_to_json(&vnic->settings), "bond", vnic->bond, "backup",
                     vnic->backup, "persistent", vnic->persistent);
}

/* One text member of a vNIC: where it goes and what it may look like. */
typedef struct {
    const char *name;
    gsize offset;
    gboolean (*valid)(const char *text);
    gboolean required;
} TextMember;

static const TextMember text_members[] = {
    { "function", G_STRUCT_OFFSET(Vnic, function), text_is_pci_address, TRUE },
    { "guestAddress", G_STRUCT_OFFSET(Vnic, guest_address), text_is_pci_address, FALSE },
    { "guestPath", G_STRUCT_OFFSET(Vnic, guest_path), text_is_pci_path, FALSE },
    { "macAddress", G_STRUCT_OFFSET(Vnic, mac), text_is_mac, FALSE },
    { "physicalNetwork", G_STRUCT_OFFSET(Vnic, physical_network), text_is_name, FALSE },
    { "bond", G_STRUCT_OFFSET(Vnic, bond), text_is_link_name, FALSE },
    { "backup", G_STRUCT_OFFSET(Vnic, backup), text_is_link_name, FALSE },
};

static gboolean
read_text(const json_t *object, const TextMember *member, Vnic *vnic, GError **error)
{
    const char *text = json_string_value(json_object_get(object, member->name));

    if (!text && !member->required)
        return TRUE;
    if (!member->valid(text)) {
        g_autofree char *field = g_strdup_printf("vnics.%s", member->name);
        fault_set(error, FAULT_INVALID_ARGUMENT, field, "pass the vNICs as Describe returned them",
                  "has a value that cannot be");
        return FALSE;
    }
    G_STRUCT_MEMBER(char *, vnic, member->offset) = g_strdup(text);
    return TRUE;
}

static gboolean
read_form(const json_t *object, Vnic *vnic, GError **error)
{
    const char *name = json_string_value(json_object_get(object, "form"));

    for (gsize i = 0; i < G_N_ELEMENTS(form_names); i++) {
        if (g_strcmp0(name, form_names[i]) == 0) {
            vnic->form = (VnicForm)i;
            return TRUE;
        }
    }
    fault_set(error, FAULT_INVALID_ARGUMENT, "vnics.form", "use hostdev, interface or network",
              "is not a form of vNIC");
    return FALSE;
}

/* libvirt's alias may be empty, where a device has none. */
static gboolean
read_alias(const json_t *object, Vnic *vnic, GError **error)
{
    const char *alias = json_string_value(json_object_get(object, "alias"));

    if (!alias || (*alias && !text_is_name(alias))) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "vnics.alias",
                  "pass the vNICs as Describe returned them", "has a value that cannot be");
        return FALSE;
    }
    vnic->alias = g_strdup(alias);
    return TRUE;
}

Vnic *
vnic_from_json(const json_t *object, GError **error)
{
    g_autoptr(Vnic) vnic = g_new0(Vnic, 1);

    if (!read_alias(object, vnic, error) || !read_form(object, vnic, error))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(text_members); i++) {
        if (!read_text(object, &text_members[i], vnic, error))
            return NULL;
    }
    vnic->persistent = json_is_true(json_object_get(object, "persistent"));
    if (!function_settings_from_json(json_object_get(object, "settings"), &vnic->settings, error))
        return NULL;
    return g_steal_pointer(&vnic);
}

json_t *
vnics_to_json(const GPtrArray *vnics)
{
    json_t *array = json_array();

    for (guint i = 0; i < vnics->len; i++)
        json_array_append_new(array, vnic_to_json(vnics->pdata[i]));
    return array;
}

GPtrArray *
vnics_from_json(const json_t *array, GError **error)
{
    g_autoptr(GPtrArray) vnics = g_ptr_array_new_with_free_func((GDestroyNotify)vnic_free);

    if (json_array_size(array) == 0 || json_array_size(array) > LIMIT_VNICS) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, "vnics", "pass what Describe returned",
                  "%zu vNICs are not within 1-%d", json_array_size(array), LIMIT_VNICS);
        return NULL;
    }
    for (gsize i = 0; i < json_array_size(array); i++) {
        Vnic *vnic = vnic_from_json(json_array_get(array, i), error);

        if (!vnic)
            return NULL;
        g_ptr_array_add(vnics, vnic);
    }
    return g_steal_pointer(&vnics);
}
