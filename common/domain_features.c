/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what a guest needs of its host. */
#include "common/domain_features.h"

#include "common/pci_address.h"
#include "common/vnic_element.h"

static void
host_device_free(gpointer data)
{
    DomainHostDevice *device = data;

    g_free(device->kind);
    g_free(device->label);
    g_free(device->function);
    g_free(device);
}

void
domain_features_free(DomainFeatures *features)
{
    if (!features)
        return;
    g_free(features->type);
    g_free(features->architecture);
    g_free(features->machine);
    g_free(features->emulator);
    g_free(features->processor);
    g_free(features->processor_mode);
    g_strfreev(features->networks);
    g_strfreev(features->bridges);
    g_ptr_array_unref(features->host_devices);
    g_free(features);
}

/* libvirt's units of memory; it prints KiB itself. 0 for what it does not know. */
static guint64
unit_bytes(const char *unit)
{
    static const struct {
        const char *name;
        guint64 bytes;
    } units[] = {
        { "b", 1 },          { "bytes", 1 },        { "KB", 1000 },
        { "k", 1ULL << 10 }, { "KiB", 1ULL << 10 }, { "MB", 1000 * 1000 },
        { "M", 1ULL << 20 }, { "MiB", 1ULL << 20 }, { "GB", 1000 * 1000 * 1000 },
        { "G", 1ULL << 30 }, { "GiB", 1ULL << 30 }, { "TB", 1000ULL * 1000 * 1000 * 1000 },
        { "T", 1ULL << 40 }, { "TiB", 1ULL << 40 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (!unit || g_str_equal(units[i].name, unit))
            return unit ? units[i].bytes : 1ULL << 10;
    }
    return 0;
}

static guint64
scale(const char *number, const char *unit)
{
    guint64 value = number ? g_ascii_strtoull(number, NULL, 10) : 0;
    guint64 bytes = unit_bytes(unit);

    return bytes > 0 && value <= G_MAXUINT64 / bytes ? value * bytes : 0;
}

static guint64
read_memory(const xmlNode *root)
{
    g_autofree char *number = xml_tree_child_text(root, "memory");
    g_autofree char *unit = xml_tree_attribute(xml_tree_child(root, "memory"), "unit");

    return scale(number, unit);
}

/* Several sizes may be given for several nodes of the guest: the first one counts for all. */
static guint64
read_huge_pages(const xmlNode *root)
{
    const xmlNode *pages = xml_tree_child(xml_tree_child(root, "memoryBacking"), "hugepages");
    const xmlNode *page = xml_tree_child(pages, "page");
    g_autofree char *size = xml_tree_attribute(page, "size");
    g_autofree char *unit = xml_tree_attribute(page, "unit");

    if (!pages)
        return 0;
    return size ? scale(size, unit) : HUGE_PAGES_DEFAULT_SIZE;
}

/* <vcpu current='2'>8</vcpu>: two run. */
static unsigned
read_vcpus(const xmlNode *root)
{
    g_autofree char *maximum = xml_tree_child_text(root, "vcpu");
    g_autofree char *current = xml_tree_attribute(xml_tree_child(root, "vcpu"), "current");
    const char *text = current ? current : maximum;

    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : 1;
}

static void
read_machine(const xmlNode *root, DomainFeatures *features)
{
    const xmlNode *type = xml_tree_child(xml_tree_child(root, "os"), "type");
    xmlNode *cpu = xml_tree_child(root, "cpu");

    features->type = xml_tree_attribute(root, "type");
    features->architecture = xml_tree_attribute(type, "arch");
    features->machine = xml_tree_attribute(type, "machine");
    features->emulator = xml_tree_child_text(xml_tree_child(root, "devices"), "emulator");
    if (cpu) {
        features->processor = xml_tree_print(cpu);
        features->processor_mode = xml_tree_attribute(cpu, "mode");
    }
    features->memory_bytes = read_memory(root);
    features->huge_page_bytes = read_huge_pages(root);
    features->vcpus = read_vcpus(root);
}

static char *
read_function(const xmlNode *element)
{
    const xmlNode *node = xml_tree_child(xml_tree_child(element, "source"), "address");
    static const char *const names[] = { "domain", "bus", "slot", "function" };
    guint numbers[G_N_ELEMENTS(names)] = { 0 };

    if (!node)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = xml_tree_attribute(node, names[i]);

        numbers[i] = text ? (guint)g_ascii_strtoull(text, NULL, 0) : 0;
    }
    PciAddress address = { numbers[0], numbers[1], numbers[2], numbers[3] };
    return pci_address_format(&address);
}

static void
add_host_device(const xmlNode *element, DomainFeatures *features)
{
    DomainHostDevice *device = g_new0(DomainHostDevice, 1);

    device->kind = xml_tree_attribute(element, "type");
    if (!device->kind)
        device->kind = g_strdup("unknown");
    device->label = xml_tree_attribute(xml_tree_child(element, "alias"), "name");
    if (!device->label)
        device->label = g_strdup_printf("%s %u", device->kind, features->host_devices->len);
    if (g_str_equal(device->kind, "pci"))
        device->function = read_function(element);
    g_ptr_array_add(features->host_devices, device);
}

/* Adds the text to the set of those seen; @texts keeps their order. */
static void
add_once(GStrvBuilder *texts, GHashTable *seen, const xmlNode *source, const char *name)
{
    char *text = xml_tree_attribute(source, name);

    if (!text)
        return;
    if (!g_hash_table_contains(seen, text))
        g_strv_builder_add(texts, text);
    g_hash_table_add(seen, text);
}

static gboolean
is_vnic(const xmlNode *element)
{
    VnicForm form;

    return xmlStrEqual(element->name, (const xmlChar *)"interface") &&
           !vnic_element_is_passthrough(element, &form);
}

/* A vNIC on a network has also the bridge that libvirt chose for it here: that is the network's. */
static void
read_vnics(const xmlNode *devices, DomainFeatures *features)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) seen_bridges =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GStrvBuilder) networks = g_strv_builder_new();
    g_autoptr(GStrvBuilder) bridges = g_strv_builder_new();

    for (xmlNode *element = xml_tree_child(devices, "interface"); element;
         element = xml_tree_next(element, "interface")) {
        const xmlNode *source = xml_tree_child(element, "source");

        if (!is_vnic(element))
            continue;
        if (xml_tree_attribute_is(element, "type", "network"))
            add_once(networks, seen, source, "network");
        else if (xml_tree_attribute_is(element, "type", "bridge"))
            add_once(bridges, seen_bridges, source, "bridge");
    }
    features->networks = g_strv_builder_end(networks);
    features->bridges = g_strv_builder_end(bridges);
}

static void
read_devices(const xmlNode *devices, DomainFeatures *features)
{
    read_vnics(devices, features);
    for (xmlNode *element = xml_tree_child(devices, NULL); element;
         element = xml_tree_next(element, NULL)) {
        if (xmlStrEqual(element->name, (const xmlChar *)"hostdev"))
            add_host_device(element, features);
        else if (xmlStrEqual(element->name, (const xmlChar *)"disk") &&
                 xml_tree_child(element, "mirror"))
            features->copying_disk = TRUE;
    }
}

DomainFeatures *
domain_features_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);

    if (!document)
        return NULL;
    const xmlNode *root = xmlDocGetRootElement(document);
    DomainFeatures *features = g_new0(DomainFeatures, 1);

    features->host_devices = g_ptr_array_new_with_free_func(host_device_free);
    read_machine(root, features);
    read_devices(xml_tree_child(root, "devices"), features);
    return features;
}
