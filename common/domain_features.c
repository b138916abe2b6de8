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
    g_strfreev(features->network_bridges);
    g_strfreev(features->bridges);
    g_strfreev(features->devices);
    g_strfreev(features->sockets);
    g_strfreev(features->macs);
    g_ptr_array_unref(features->host_devices);
    g_array_unref(features->huge_pages);
    g_free(features);
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
    features->memory_bytes = domain_memory_bytes(root);
    features->huge_pages = domain_pages_read(root);
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

static gboolean
is_vnic(const xmlNode *element)
{
    VnicForm form;

    return xmlStrEqual(element->name, (const xmlChar *)"interface") &&
           !vnic_element_is_passthrough(element, &form);
}

/* What is read of vNICs: names, each once. */
typedef struct {
    GHashTable *seen;
    GStrvBuilder *networks, *network_bridges, *bridges, *devices, *sockets;
} Connections;

/* libvirt calls the device dev, and the socket path; a socket that QEMU itself makes is at hand
 * everywhere. */
static void
add_attachment(Connections *found, const xmlNode *element, const xmlNode *source)
{
    gboolean direct = xml_tree_attribute_is(element, "type", "direct");
    gboolean client = xml_tree_attribute_is(element, "type", "vhostuser") &&
                      xml_tree_attribute_is(source, "mode", "client");
    g_autofree char *name =
        direct || client ? xml_tree_attribute(source, direct ? "dev" : "path") : NULL;
    g_autofree char *key = name ? g_strconcat("host ", name, NULL) : NULL;

    if (name && g_hash_table_add(found->seen, g_steal_pointer(&key)))
        g_strv_builder_add(direct ? found->devices : found->sockets, name);
}

/* A network may be reached through a bridge, of which libvirt chose the name here; a vNIC that runs
 * on one is called type='bridge', too. */
static void
add_connection(Connections *found, const xmlNode *source)
{
    g_autofree char *network = xml_tree_attribute(source, "network");
    g_autofree char *bridge = xml_tree_attribute(source, "bridge");
    g_autofree char *key =
        network ? g_strconcat("network ", network, NULL) : g_strconcat("bridge ", bridge, NULL);

    if ((!network && !bridge) || !g_hash_table_add(found->seen, g_steal_pointer(&key)))
        return;
    if (network) {
        g_strv_builder_add(found->networks, network);
        g_strv_builder_add(found->network_bridges, bridge ? bridge : "");
    } else {
        g_strv_builder_add(found->bridges, bridge);
    }
}

static void
read_vnics(const xmlNode *devices, DomainFeatures *features)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GStrvBuilder) networks = g_strv_builder_new();
    g_autoptr(GStrvBuilder) network_bridges = g_strv_builder_new();
    g_autoptr(GStrvBuilder) bridges = g_strv_builder_new();
    g_autoptr(GStrvBuilder) devices_of_host = g_strv_builder_new();
    g_autoptr(GStrvBuilder) sockets = g_strv_builder_new();
    Connections found = { seen, networks, network_bridges, bridges, devices_of_host, sockets };

    for (xmlNode *element = xml_tree_child(devices, "interface"); element;
         element = xml_tree_next(element, "interface")) {
        const xmlNode *source = xml_tree_child(element, "source");

        if (is_vnic(element)) {
            add_connection(&found, source);
            add_attachment(&found, element, source);
        }
    }
    features->networks = g_strv_builder_end(networks);
    features->network_bridges = g_strv_builder_end(network_bridges);
    features->bridges = g_strv_builder_end(bridges);
    features->devices = g_strv_builder_end(devices_of_host);
    features->sockets = g_strv_builder_end(sockets);
}

static char **
read_macs(const xmlNode *devices)
{
    g_autoptr(GStrvBuilder) macs = g_strv_builder_new();

    for (xmlNode *element = xml_tree_child(devices, "interface"); element;
         element = xml_tree_next(element, "interface")) {
        g_autofree char *mac = xml_tree_attribute(xml_tree_child(element, "mac"), "address");
        g_autofree char *lower = mac ? g_ascii_strdown(mac, -1) : NULL;

        if (lower)
            g_strv_builder_add(macs, lower);
    }
    return g_strv_builder_end(macs);
}

static void
read_devices(const xmlNode *devices, DomainFeatures *features)
{
    read_vnics(devices, features);
    features->macs = read_macs(devices);
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
