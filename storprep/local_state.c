/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the search in a domain's XML for files that a move needs or leaves behind. */
#include "storprep/local_state.h"

#include "common/xml_tree.h"

#define TPM_DIRECTORY "/var/lib/libvirt/swtpm"

typedef struct {
    const char *kind;
    gboolean migrates; /* live, by itself */
    const char *remedy;
} LocalKind;

static const LocalKind nvram_kind = {
    "nvram",
    TRUE,
    "nothing while the guest runs, since its content moves with the memory; else copy the file to "
    "the same path on the destination",
};
static const LocalKind tpm_kind = {
    "tpm",
    TRUE,
    "nothing while the guest runs, since swtpm's state moves with it; else copy the directory to "
    "the same path on the destination, which must have swtpm",
};
static const LocalKind boot_kind = {
    "boot",
    FALSE,
    "copy the file to the same path on the destination, which opens it when the guest arrives",
};
static const LocalKind medium_kind = {
    "medium",
    FALSE,
    "copy the file to the same path on the destination, or eject it with 'virsh change-media GUEST "
    "TARGET --eject --live --config'; a cloud-init ISO is not needed after the first boot",
};

/* Nothing without a @path, which is taken over. */
static void
add(json_t *list, const LocalKind *kind, char *path)
{
    if (path)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b, s:s}", "kind", kind->kind, "path", path,
                                        "migrates", kind->migrates, "remedy", kind->remedy));
    g_free(path);
}

static void
add_boot_files(json_t *list, const xmlNode *system)
{
    static const char *const files[] = { "kernel", "initrd", "dtb" };
    char *nvram =
        xml_tree_attribute(xml_tree_child(xml_tree_child(system, "nvram"), "source"), "file");

    add(list, &nvram_kind, nvram ? nvram : xml_tree_child_text(system, "nvram"));
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        add(list, &boot_kind, xml_tree_child_text(system, files[i]));
}

/* libvirt keeps it below a directory of the guest's UUID unless told where. */
static void
add_tpm(json_t *list, const xmlNode *tpm, const char *uuid)
{
    const xmlNode *backend = xml_tree_child(tpm, "backend");
    char *path = xml_tree_attribute(xml_tree_child(backend, "source"), "path");

    if (!xml_tree_attribute_is(backend, "type", "emulator"))
        g_free(path);
    else
        add(list, &tpm_kind, path ? path : g_build_filename(TPM_DIRECTORY, uuid, NULL));
}

static void
add_medium(json_t *list, const xmlNode *disk)
{
    if (xml_tree_attribute_is(disk, "device", "cdrom") ||
        xml_tree_attribute_is(disk, "device", "floppy"))
        add(list, &medium_kind, xml_tree_attribute(xml_tree_child(disk, "source"), "file"));
}

json_t *
local_state_list(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain", error);
    const xmlNode *domain = document ? xmlDocGetRootElement(document) : NULL;
    const xmlNode *devices = xml_tree_child(domain, "devices");
    g_autofree char *uuid = xml_tree_child_text(domain, "uuid");
    json_t *list;

    if (!document)
        return NULL;
    list = json_array();
    add_boot_files(list, xml_tree_child(domain, "os"));
    for (const xmlNode *tpm = xml_tree_child(devices, "tpm"); tpm; tpm = xml_tree_next(tpm, "tpm"))
        add_tpm(list, tpm, uuid ? uuid : "");
    for (const xmlNode *disk = xml_tree_child(devices, "disk"); disk;
         disk = xml_tree_next(disk, "disk"))
        add_medium(list, disk);
    return list;
}
