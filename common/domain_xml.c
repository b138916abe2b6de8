/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what is read out of a domain's XML: passthrough devices, VirtIO vNICs, disks, agent. */
#include "common/domain_xml.h"

#include "common/fault.h"
#include "common/guest_pci.h"
#include "common/vnic_element.h"
#include "common/xml_tree.h"

static void
passthrough_free(DomainPassthrough *device)
{
    g_free(device->alias);
    g_free(device->mac);
    g_free(device->function);
    g_free(device->network);
    g_free(device->guest_address);
    g_free(device->guest_path);
    g_free(device->teaming);
    g_free(device->xml);
    g_free(device);
}

static void
virtio_nic_free(DomainVirtioNic *nic)
{
    g_free(nic->alias);
    g_free(nic->mac);
    g_free(nic->bridge);
    g_free(nic->network);
    g_free(nic->target);
    g_free(nic->xml);
    g_free(nic->guest_path);
    g_free(nic);
}

static void
backing_free(void *data)
{
    DomainBacking *backing = data;

    g_free(backing->source);
    g_free(backing->format);
    g_free(backing);
}

static void
disk_free(DomainDisk *disk)
{
    g_clear_pointer(&disk->backing, g_ptr_array_unref);
    g_free(disk->target);
    g_free(disk->device);
    g_free(disk->type);
    g_free(disk->source);
    g_free(disk->pool);
    g_free(disk->volume);
    g_free(disk->format);
    g_free(disk->cache);
    g_free(disk);
}

void
domain_xml_free(DomainXml *domain)
{
    if (!domain)
        return;
    g_free(domain->name);
    g_free(domain->uuid);
    g_ptr_array_unref(domain->passthrough);
    g_ptr_array_unref(domain->virtio_nics);
    g_ptr_array_unref(domain->disks);
    g_free(domain);
}

static DomainXml *
domain_xml_new(void)
{
    DomainXml *domain = g_new0(DomainXml, 1);

    domain->passthrough = g_ptr_array_new_with_free_func((GDestroyNotify)passthrough_free);
    domain->virtio_nics = g_ptr_array_new_with_free_func((GDestroyNotify)virtio_nic_free);
    domain->disks = g_ptr_array_new_with_free_func((GDestroyNotify)disk_free);
    return domain;
}

static char *
read_alias(const xmlNode *element)
{
    return xml_tree_attribute(xml_tree_child(element, "alias"), "name");
}

static char *
read_mac(const xmlNode *element)
{
    g_autofree char *mac = xml_tree_attribute(xml_tree_child(element, "mac"), "address");

    return mac ? g_ascii_strdown(mac, -1) : NULL;
}

static char *
read_guest_path(const xmlNode *element)
{
    PciAddress address;

    return guest_pci_read_address(element, &address) ? guest_pci_path(element->parent, &address)
                                                     : NULL;
}

static char *
read_pci_address(const xmlNode *parent)
{
    PciAddress address;

    return guest_pci_read_address(parent, &address) ? pci_address_format(&address) : NULL;
}

static DomainPassthrough *
read_passthrough(xmlNode *element, VnicForm form)
{
    DomainPassthrough *device = g_new0(DomainPassthrough, 1);
    const xmlNode *source = xml_tree_child(element, "source");

    device->form = form;
    device->alias = read_alias(element);
    device->mac = read_mac(element);
    device->function = read_pci_address(source);
    device->network = xml_tree_attribute(source, "network");
    device->guest_address = read_pci_address(element);
    device->guest_path = read_guest_path(element);
    device->teaming = xml_tree_attribute(xml_tree_child(element, "teaming"), "type");
    device->xml = xml_tree_print(element);
    return device;
}

static DomainVirtioNic *
read_virtio_nic(xmlNode *element)
{
    DomainVirtioNic *nic = g_new0(DomainVirtioNic, 1);
    const xmlNode *source = xml_tree_child(element, "source");

    nic->alias = read_alias(element);
    nic->mac = read_mac(element);
    nic->bridge = xml_tree_attribute(source, "bridge");
    nic->network = xml_tree_attribute(source, "network");
    nic->target = xml_tree_attribute(xml_tree_child(element, "target"), "dev");
    nic->guest_path = read_guest_path(element);
    nic->filtered = xml_tree_child(element, "filterref") != NULL;
    nic->xml = xml_tree_print(element);
    return nic;
}

/* A path where there is one; else enough for a person to recognise it. */
static char *
read_disk_source(const xmlNode *source, const char *type)
{
    static const char *const first[] = { "file", "dev", "dir", "pool", "protocol" };
    g_autofree char *place = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(first) && !place; i++)
        place = xml_tree_attribute(source, first[i]);
    if (g_strcmp0(type, "volume") == 0) {
        g_autofree char *volume = xml_tree_attribute(source, "volume");

        return g_strdup_printf("%s/%s", place ? place : "", volume ? volume : "");
    }
    if (g_strcmp0(type, "network") == 0) {
        g_autofree char *name = xml_tree_attribute(source, "name");

        return g_strdup_printf("%s:%s", place ? place : "", name ? name : "");
    }
    return g_steal_pointer(&place);
}

static char *
attribute_or(const xmlNode *element, const char *name, const char *fallback)
{
    char *value = xml_tree_attribute(element, name);

    return value ? value : g_strdup(fallback);
}

static gboolean
is_encrypted(const xmlNode *disk)
{
    return xml_tree_child(disk, "encryption") ||
           xml_tree_child(xml_tree_child(disk, "source"), "encryption");
}

/* Bounded by the depth that libxml2 accepts. */
static GPtrArray *
read_backing(const xmlNode *disk)
{
    GPtrArray *chain = g_ptr_array_new_with_free_func(backing_free);

    for (const xmlNode *store = xml_tree_child(disk, "backingStore"); xml_tree_child(store, NULL);
         store = xml_tree_child(store, "backingStore")) {
        const xmlNode *source = xml_tree_child(store, "source");
        g_autofree char *type = attribute_or(store, "type", "file");
        DomainBacking *backing = g_new0(DomainBacking, 1);

        backing->source = source ? read_disk_source(source, type) : NULL;
        backing->format = attribute_or(xml_tree_child(store, "format"), "type", "raw");
        g_ptr_array_add(chain, backing);
    }
    if (chain->len == 0)
        g_clear_pointer(&chain, g_ptr_array_unref);
    return chain;
}

/* Without a model it is about all of them; ownership is the model called dac. */
static gboolean
keeps_owner(const xmlNode *parent)
{
    for (const xmlNode *label = xml_tree_child(parent, "seclabel"); label;
         label = xml_tree_next(label, "seclabel")) {
        g_autofree char *model = xml_tree_attribute(label, "model");

        if ((!model || g_str_equal(model, "dac")) &&
            (xml_tree_attribute_is(label, "relabel", "no") ||
             xml_tree_attribute_is(label, "type", "none")))
            return TRUE;
    }
    return FALSE;
}

static DomainDisk *
read_disk(const xmlNode *element)
{
    DomainDisk *disk = g_new0(DomainDisk, 1);
    const xmlNode *source = xml_tree_child(element, "source");
    const xmlNode *driver = xml_tree_child(element, "driver");

    disk->target = xml_tree_attribute(xml_tree_child(element, "target"), "dev");
    disk->device = attribute_or(element, "device", "disk");
    disk->type = attribute_or(element, "type", "file");
    disk->source = source ? read_disk_source(source, disk->type) : NULL;
    if (g_str_equal(disk->type, "volume")) {
        disk->pool = xml_tree_attribute(source, "pool");
        disk->volume = xml_tree_attribute(source, "volume");
    }
    disk->format = attribute_or(driver, "type", "raw");
    disk->cache = xml_tree_attribute(driver, "cache");
    disk->owner_kept = keeps_owner(xml_tree_child(element, "source"));
    disk->read_only = xml_tree_child(element, "readonly") != NULL;
    disk->shareable = xml_tree_child(element, "shareable") != NULL;
    disk->transient = xml_tree_child(element, "transient") != NULL;
    disk->encrypted = is_encrypted(element);
    disk->backing = read_backing(element);
    disk->has_backing = disk->backing != NULL;
    return disk;
}

static void
read_channel(const xmlNode *element, DomainXml *domain)
{
    const xmlNode *target = xml_tree_child(element, "target");

    if (!xml_tree_attribute_is(target, "name", "org.qemu.guest_agent.0"))
        return;
    domain->has_agent = TRUE;
    domain->agent_connected = xml_tree_attribute_is(target, "state", "connected");
}

static void
read_device(xmlNode *element, DomainXml *domain)
{
    VnicForm form;

    if (vnic_element_is_passthrough(element, &form))
        g_ptr_array_add(domain->passthrough, read_passthrough(element, form));
    else if (vnic_element_is_virtio(element))
        g_ptr_array_add(domain->virtio_nics, read_virtio_nic(element));
    else if (xmlStrEqual(element->name, (const xmlChar *)"disk"))
        g_ptr_array_add(domain->disks, read_disk(element));
    else if (xmlStrEqual(element->name, (const xmlChar *)"channel"))
        read_channel(element, domain);
}

DomainXml *
domain_xml_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(xml, "domain XML", error);

    if (!document)
        return NULL;
    const xmlNode *root = xmlDocGetRootElement(document);
    g_autoptr(DomainXml) domain = domain_xml_new();

    domain->name = xml_tree_child_text(root, "name");
    domain->uuid = xml_tree_child_text(root, "uuid");
    if (!xmlStrEqual(root->name, (const xmlChar *)"domain") || !domain->name || !domain->uuid) {
        fault_set(error, FAULT_HYPERVISOR_FAILED, "domain XML", NULL,
                  "it is not a <domain> with a name and a UUID");
        return NULL;
    }
    for (xmlNode *element = xml_tree_child(xml_tree_child(root, "devices"), NULL); element;
         element = xml_tree_next(element, NULL))
        read_device(element, domain);
    for (guint i = 0; i < domain->disks->len && keeps_owner(root); i++)
        ((DomainDisk *)domain->disks->pdata[i])->owner_kept = TRUE;
    return g_steal_pointer(&domain);
}
