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

static const char *const path_names[] = {
    [VNIC_PATH_BOND] = "bond",
    [VNIC_PATH_TEAMING] = "teaming",
    [VNIC_PATH_NATIVE] = "native",
    [VNIC_PATH_VIRTIO_ONLY] = "virtioOnly",
};

const char *
vnic_path_name(VnicPath path)
{
    return path_names[path];
}

static json_t *
shape_to_json(const VnicShape *shape)
{
    if (!shape)
        return json_null();
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:i, s:i, s:i, s:b}", "form",
                     form_names[shape->form], "alias", shape->alias, "macAddress", shape->mac,
                     "network", shape->network, "portGroup", shape->port_group, "teaming",
                     shape->teaming, "guestAddress", shape->guest_address, "vlan", (int)shape->vlan,
                     "bootOrder", (int)shape->boot_order, "index", (int)shape->index, "rom",
                     !shape->rom_off);
}

json_t *
vnic_to_json(const Vnic *vnic)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:s?, s:s?, s:s, s:s, s:o}", "alias",
        vnic->alias, "function", vnic->function, "form", form_names[vnic->form], "guestAddress",
        vnic->guest_address, "guestPath", vnic->guest_path, "macAddress", vnic->mac,
        "physicalNetwork", vnic->physical_network, "settings",
        function_settings_to_json(&vnic->settings), "bond", vnic->bond, "backup", vnic->backup,
        "teaming", vnic->teaming, "path", path_names[vnic->path], "pathReason",
        vnic->path_reason ? vnic->path_reason : "", "configuration",
        shape_to_json(vnic->configuration));
}

/* One text member of a vNIC: where it goes and what it may look like. */
typedef struct {
    const char *name;
    gsize offset;
    gboolean (*valid)(const char *text);
    gboolean required;
} TextMember;

static const TextMember vnic_texts[] = {
    { "function", G_STRUCT_OFFSET(Vnic, function), text_is_pci_address, TRUE },
    { "guestAddress", G_STRUCT_OFFSET(Vnic, guest_address), text_is_pci_address, FALSE },
    { "guestPath", G_STRUCT_OFFSET(Vnic, guest_path), text_is_pci_path, FALSE },
    { "macAddress", G_STRUCT_OFFSET(Vnic, mac), text_is_mac, FALSE },
    { "physicalNetwork", G_STRUCT_OFFSET(Vnic, physical_network), text_is_name, FALSE },
    { "bond", G_STRUCT_OFFSET(Vnic, bond), text_is_link_name, FALSE },
    { "backup", G_STRUCT_OFFSET(Vnic, backup), text_is_link_name, FALSE },
    { "teaming", G_STRUCT_OFFSET(Vnic, teaming), text_is_name, FALSE },
    { 0 },
};

static const TextMember shape_texts[] = {
    { "alias", G_STRUCT_OFFSET(VnicShape, alias), text_is_name, FALSE },
    { "macAddress", G_STRUCT_OFFSET(VnicShape, mac), text_is_mac, FALSE },
    { "network", G_STRUCT_OFFSET(VnicShape, network), text_is_name, FALSE },
    { "portGroup", G_STRUCT_OFFSET(VnicShape, port_group), text_is_name, FALSE },
    { "teaming", G_STRUCT_OFFSET(VnicShape, teaming), text_is_name, FALSE },
    { "guestAddress", G_STRUCT_OFFSET(VnicShape, guest_address), text_is_pci_address, FALSE },
    { 0 },
};

static gboolean
refuse(const char *member, GError **error)
{
    g_autofree char *field = g_strdup_printf("vnics.%s", member);

    fault_set(error, FAULT_INVALID_ARGUMENT, field, "pass the vNICs as Describe returned them",
              "has a value that cannot be");
    return FALSE;
}

/* Fills the text members of @target, a struct to which @members belong. */
static gboolean
read_texts(const json_t *object, const TextMember *members, void *target, GError **error)
{
    for (const TextMember *member = members; member->name; member++) {
        const char *text = json_string_value(json_object_get(object, member->name));

        if (!text && !member->required)
            continue;
        if (!member->valid(text))
            return refuse(member->name, error);
        G_STRUCT_MEMBER(char *, target, member->offset) = g_strdup(text);
    }
    return TRUE;
}

/* The index of member @name's word in @words. */
static gboolean
read_word(const json_t *object, const char *name, const char *const *words, gsize count,
          unsigned *ret_index, GError **error)
{
    const char *word = json_string_value(json_object_get(object, name));

    for (gsize i = 0; i < count; i++) {
        if (g_strcmp0(word, words[i]) == 0) {
            *ret_index = (unsigned)i;
            return TRUE;
        }
    }
    return refuse(name, error);
}

static gboolean
read_form(const json_t *object, VnicForm *ret_form, GError **error)
{
    unsigned form = 0;

    if (!read_word(object, "form", form_names, G_N_ELEMENTS(form_names), &form, error))
        return FALSE;
    *ret_form = (VnicForm)form;
    return TRUE;
}

/* A team is one only with a partner, whose MAC it shares. */
static gboolean
read_path(const json_t *object, Vnic *vnic, GError **error)
{
    unsigned path = 0;

    if (!read_word(object, "path", path_names, G_N_ELEMENTS(path_names), &path, error))
        return FALSE;
    vnic->path = (VnicPath)path;
    if (vnic->path == VNIC_PATH_TEAMING && (!vnic->teaming || !vnic->mac))
        return refuse("teaming", error);
    return TRUE;
}

static gboolean
read_number(const json_t *object, const char *name, unsigned maximum, unsigned *ret_value,
            GError **error)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    if (value < 0 || value > maximum)
        return refuse(name, error);
    *ret_value = (unsigned)value;
    return TRUE;
}

static VnicShape *
shape_from_json(const json_t *object, GError **error)
{
    g_autoptr(VnicShape) shape = g_new0(VnicShape, 1);

    if (!read_form(object, &shape->form, error) || !read_texts(object, shape_texts, shape, error) ||
        !read_number(object, "vlan", 4094, &shape->vlan, error) ||
        !read_number(object, "bootOrder", G_MAXINT, &shape->boot_order, error) ||
        !read_number(object, "index", VNIC_SHAPE_INDEX_MAX, &shape->index, error))
        return NULL;
    if (shape->form == VNIC_FORM_NETWORK && !shape->network) {
        refuse("network", error);
        return NULL;
    }
    shape->rom_off = json_is_false(json_object_get(object, "rom"));
    return g_steal_pointer(&shape);
}

static gboolean
read_configuration(const json_t *object, Vnic *vnic, GError **error)
{
    const json_t *shape = json_object_get(object, "configuration");

    if (!json_is_object(shape))
        return TRUE;
    vnic->configuration = shape_from_json(shape, error);
    return vnic->configuration != NULL;
}

/* libvirt's alias may be empty, where a device has none. */
static gboolean
read_alias(const json_t *object, Vnic *vnic, GError **error)
{
    const char *alias = json_string_value(json_object_get(object, "alias"));

    if (!alias || (*alias && !text_is_name(alias)))
        return refuse("alias", error);
    vnic->alias = g_strdup(alias);
    return TRUE;
}

Vnic *
vnic_from_json(const json_t *object, GError **error)
{
    g_autoptr(Vnic) vnic = g_new0(Vnic, 1);

    if (!read_alias(object, vnic, error) || !read_form(object, &vnic->form, error) ||
        !read_texts(object, vnic_texts, vnic, error) || !read_path(object, vnic, error) ||
        !read_configuration(object, vnic, error) ||
        !function_settings_from_json(json_object_get(object, "settings"), &vnic->settings, error))
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
