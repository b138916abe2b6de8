/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what keeps a guest on its host. */
#include "common/domain_baggage.h"

#include <string.h>

#include "common/xml_tree.h"

void
domain_baggage_free(DomainBaggage *baggage)
{
    if (!baggage)
        return;
    g_strfreev(baggage->unmovable);
    g_strfreev(baggage->shared_directories);
    g_strfreev(baggage->needed_files);
    g_free(baggage->tpm);
    g_free(baggage->mode);
    g_free(baggage->pinned_processors);
    g_free(baggage->memory_nodes);
    g_free(baggage);
}

/* The elements called @name in @parent whose @attribute is @value (NULL: any), and what QEMU's or
 * libvirt's code says of them. */
static const struct {
    const char *name, *attribute, *value, *what;
} unmovable[] = {
    { "shmem", NULL, NULL, "shared memory with other guests" }, /* ivshmem: a migration blocker */
    { "disk", "type", "vhostuser", "a vhost-user disk" },
    { "disk", "type", "vhostvdpa", "a vDPA disk" },
    { "interface", "type", "vdpa", "a vDPA network card" },
    { "memory", "model", "sgx-epc", "SGX memory" },
    { "crypto", "type", "lkcf", "a crypto device of the host's kernel" },
    { "smartcard", "mode", "host", "a smart card of the host" },
    { "smartcard", "mode", "host-certificates", "an emulated smart card" }, /* unmigratable */
    { "disk", "type", "dir", "a directory as a disk" },                     /* vvfat */
    { "input", "type", "passthrough", "an input device of the host" },
};

static gboolean
is_kind(const xmlNode *node, gsize kind)
{
    return xmlStrEqual(node->name, (const xmlChar *)unmovable[kind].name) &&
           (!unmovable[kind].attribute ||
            xml_tree_attribute_is(node, unmovable[kind].attribute, unmovable[kind].value));
}

/* Formats whose drivers add a migration blocker while an image is open. */
static const char *
find_blocking_format(const xmlNode *device)
{
    static const char *const formats[] = { "vdi", "vmdk", "vhdx", "vpc", "qcow", "parallels" };

    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (xmlStrEqual(device->name, (const xmlChar *)"disk") &&
            xml_tree_attribute_is(xml_tree_child(device, "driver"), "type", formats[i]))
            return formats[i];
    }
    return NULL;
}

/* virtio-gpu with a renderer of the host (virgl) has state in it that QEMU cannot read back. */
static gboolean
is_rendered_by_host(const xmlNode *device)
{
    const xmlNode *model = xml_tree_child(device, "model");

    return xmlStrEqual(device->name, (const xmlChar *)"video") &&
           xml_tree_attribute_is(xml_tree_child(model, "acceleration"), "accel3d", "yes");
}

static void
add_unmovable(GStrvBuilder *found, const xmlNode *device)
{
    const char *format = find_blocking_format(device);

    for (gsize i = 0; i < G_N_ELEMENTS(unmovable); i++) {
        if (is_kind(device, i))
            g_strv_builder_add(found, unmovable[i].what);
    }
    if (format) {
        g_autofree char *what = g_strdup_printf("a disk of format %s", format);
        g_strv_builder_add(found, what);
    }
    if (is_rendered_by_host(device))
        g_strv_builder_add(found, "a graphics card that the host renders for");
}

static char **
list_unmovable(const xmlNode *root)
{
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    const xmlNode *devices = xml_tree_child(root, "devices");

    for (xmlNode *node = xml_tree_child(devices, NULL); node; node = xml_tree_next(node, NULL))
        add_unmovable(found, node);
    if (xml_tree_child(root, "launchSecurity"))
        g_strv_builder_add(found, "encrypted or protected memory");
    return g_strv_builder_end(found);
}

static char **
list_shared_directories(const xmlNode *devices)
{
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();

    for (xmlNode *node = xml_tree_child(devices, "filesystem"); node;
         node = xml_tree_next(node, "filesystem")) {
        gboolean virtiofs =
            xml_tree_attribute_is(xml_tree_child(node, "driver"), "type", "virtiofs");
        g_autofree char *directory = xml_tree_attribute(xml_tree_child(node, "source"), "dir");
        g_autofree char *text = g_strdup_printf("%s %s", virtiofs ? "virtiofs" : "9p",
                                                directory ? directory : "of another program");

        g_strv_builder_add(found, text);
    }
    return g_strv_builder_end(found);
}

/* QEMU opens them by the path that they have here; drives with media are local_state.h's. */
static void
add_read_only(GStrvBuilder *files, const xmlNode *disk)
{
    const xmlNode *source = xml_tree_child(disk, "source");
    g_autofree char *file = xml_tree_attribute(source, "file");
    g_autofree char *device = xml_tree_attribute(source, "dev");
    const char *path = file ? file : device;

    if (path && xml_tree_child(disk, "readonly") &&
        !xml_tree_attribute_is(disk, "device", "cdrom") &&
        !xml_tree_attribute_is(disk, "device", "floppy"))
        g_strv_builder_add(files, path);
}

static char **
list_needed_files(const xmlNode *root)
{
    g_autoptr(GStrvBuilder) files = g_strv_builder_new();
    g_autofree char *loader = xml_tree_child_text(xml_tree_child(root, "os"), "loader");

    if (loader && *loader == '/')
        g_strv_builder_add(files, loader);
    for (xmlNode *disk = xml_tree_child(xml_tree_child(root, "devices"), "disk"); disk;
         disk = xml_tree_next(disk, "disk"))
        add_read_only(files, disk);
    return g_strv_builder_end(files);
}

static guint64
read_tsc(const xmlNode *root)
{
    for (xmlNode *timer = xml_tree_child(xml_tree_child(root, "clock"), "timer"); timer;
         timer = xml_tree_next(timer, "timer")) {
        g_autofree char *frequency = xml_tree_attribute(timer, "frequency");

        if (xml_tree_attribute_is(timer, "name", "tsc") && frequency)
            return g_ascii_strtoull(frequency, NULL, 10);
    }
    return 0;
}

static gboolean
requires_invariant_tsc(const xmlNode *root)
{
    gboolean required = FALSE;

    for (xmlNode *feature = xml_tree_child(xml_tree_child(root, "cpu"), "feature"); feature;
         feature = xml_tree_next(feature, "feature"))
        required = required || (xml_tree_attribute_is(feature, "name", "invtsc") &&
                                !xml_tree_attribute_is(feature, "policy", "disable"));
    return required;
}

static char *
read_mode(const xmlNode *root)
{
    for (xmlNode *policy = xml_tree_child(xml_tree_child(root, "metadata"), "policy"); policy;
         policy = xml_tree_next(policy, "policy")) {
        if (!policy->ns ||
            !xmlStrEqual(policy->ns->href, (const xmlChar *)BAGGAGE_POLICY_NAMESPACE))
            continue;
        char *mode = xml_tree_child_text(policy, "migration");
        if (mode)
            return g_strstrip(mode);
    }
    return g_strdup("automatic");
}

/* libvirt writes sets without exclusions, so they can be strung together. */
static char *
join_sets(const xmlNode *parent, const char *const *names, const char *attribute)
{
    GString *joined = g_string_new(NULL);

    for (; *names; names++) {
        for (xmlNode *node = xml_tree_child(parent, *names); node;
             node = xml_tree_next(node, *names)) {
            g_autofree char *set = xml_tree_attribute(node, attribute);

            if (set && *set)
                g_string_append_printf(joined, "%s%s", joined->len ? "," : "", set);
        }
    }
    return g_string_free(joined, joined->len == 0);
}

static void
read_pinning(const xmlNode *root, DomainBaggage *baggage)
{
    static const char *const pins[] = { "vcpupin", "emulatorpin", "iothreadpin", NULL };
    static const char *const nodes[] = { "memory", "memnode", NULL };

    baggage->pinned_processors = join_sets(xml_tree_child(root, "cputune"), pins, "cpuset");
    baggage->memory_nodes = join_sets(xml_tree_child(root, "numatune"), nodes, "nodeset");
    if (!baggage->pinned_processors)
        baggage->pinned_processors = xml_tree_attribute(xml_tree_child(root, "vcpu"), "cpuset");
}

DomainBaggage *
domain_baggage_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);

    if (!document)
        return NULL;
    const xmlNode *root = xmlDocGetRootElement(document);
    const xmlNode *devices = xml_tree_child(root, "devices");
    const xmlNode *tpm = xml_tree_child(devices, "tpm");
    DomainBaggage *baggage = g_new0(DomainBaggage, 1);

    baggage->unmovable = list_unmovable(root);
    baggage->shared_directories = list_shared_directories(devices);
    baggage->needed_files = list_needed_files(root);
    baggage->tpm = xml_tree_attribute(xml_tree_child(tpm, "backend"), "type");
    baggage->tsc_hertz = read_tsc(root);
    baggage->invariant_tsc = baggage->tsc_hertz == 0 && requires_invariant_tsc(root);
    baggage->mode = read_mode(root);
    read_pinning(root, baggage);
    return baggage;
}
