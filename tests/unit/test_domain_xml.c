/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of domain XML: what is read out of it and what is refused. */
#include <string.h>

#include "common/domain_xml.h"
#include "common/fault.h"
#include "common/guest_pci.h"
#include "common/limits.h"
#include "common/xml_tree.h"

#define UUID "3f1f3c0a-6f3e-4f6b-9c59-0d7f5f4a1b11"
#define DOMAIN(devices)                                                                            \
    "<domain type='kvm' id='3'><name>web1</name><uuid>" UUID "</uuid><devices>" devices            \
    "</devices></domain>"
#define ROOT_PORT                                                                                  \
    "<controller type='pci' index='0' model='pcie-root'/>"                                         \
    "<controller type='pci' index='4' model='pcie-root-port'>"                                     \
    "<address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x3'/></controller>"

static DomainXml *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    DomainXml *domain = domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return domain;
}

static void
assert_refused(const char *xml, FaultCode code, const char *cause)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(domain_xml_parse(xml, &error));
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_nonnull(strstr(fault_cause(error), cause));
}

static void
test_hostdev(void)
{
    g_autoptr(DomainXml) domain = parse(DOMAIN(
        ROOT_PORT
        "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>"
        "<address domain='0x0000' bus='0x01' slot='0x10' function='0x2'/></source>"
        "<alias name='hostdev0'/>"
        "<address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/></hostdev>"));
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpstr(domain->name, ==, "web1");
    g_assert_cmpstr(domain->uuid, ==, UUID);
    g_assert_cmpuint(domain->passthrough->len, ==, 1);
    g_assert_cmpint(device->form, ==, VNIC_FORM_HOSTDEV);
    g_assert_cmpstr(device->alias, ==, "hostdev0");
    g_assert_null(device->mac);
    g_assert_cmpstr(device->function, ==, "0000:01:10.2");
    g_assert_cmpstr(device->guest_address, ==, "0000:04:00.0");
    g_assert_cmpstr(device->guest_path, ==, "02.3/00.0");
    g_assert_true(g_str_has_prefix(device->xml, "<hostdev "));
    g_assert_true(g_str_has_suffix(device->xml, "</hostdev>"));
}

static void
test_interface_hostdev(void)
{
    g_autoptr(DomainXml) domain =
        parse(DOMAIN("<interface type='hostdev' managed='yes'><mac address='52:54:00:AA:00:01'/>"
                     "<source><address type='pci' domain='0x0000' bus='0x01' slot='0x10' "
                     "function='0x4'/></source><teaming type='transient' persistent='ua-net0'/>"
                     "<alias name='hostdev1'/></interface>"));
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpint(device->form, ==, VNIC_FORM_INTERFACE);
    g_assert_cmpstr(device->mac, ==, "52:54:00:aa:00:01");
    g_assert_cmpstr(device->function, ==, "0000:01:10.4");
    g_assert_cmpstr(device->teaming, ==, "transient");
    g_assert_null(device->guest_address);
    g_assert_null(device->guest_path);
}

/* Without a model it is passed through: every other interface has one. */
static void
test_network_without_a_model_is_passthrough(void)
{
    g_autoptr(DomainXml) domain =
        parse(DOMAIN("<interface type='network'><mac address='52:54:00:aa:00:02'/>"
                     "<source network='blue'/></interface>"
                     "<interface type='network'><mac address='52:54:00:aa:00:03'/>"
                     "<source network='default'/><model type='virtio'/></interface>"
                     "<interface type='network'><mac address='52:54:00:aa:00:04'/>"
                     "<source network='default'/><model type='e1000e'/></interface>"));
    const DomainPassthrough *device = domain->passthrough->pdata[0];

    g_assert_cmpuint(domain->passthrough->len, ==, 1);
    g_assert_cmpint(device->form, ==, VNIC_FORM_NETWORK);
    g_assert_cmpstr(device->network, ==, "blue");
    g_assert_null(device->function);
    g_assert_null(device->alias);
    g_assert_cmpuint(domain->virtio_nics->len, ==, 1);
}

static void
test_virtio_nic(void)
{
    g_autoptr(DomainXml) domain =
        parse(DOMAIN(ROOT_PORT "<interface type='bridge'><mac address='52:54:00:aa:00:05'/>"
                               "<source bridge='br0'/><target dev='vnet0'/><model type='virtio'/>"
                               "<filterref filter='clean-traffic'/><alias name='net0'/><address "
                               "type='pci' bus='0x04' slot='0x01' function='0x0'/></interface>"));
    const DomainVirtioNic *nic = domain->virtio_nics->pdata[0];

    g_assert_cmpuint(domain->passthrough->len, ==, 0);
    g_assert_cmpstr(nic->alias, ==, "net0");
    g_assert_cmpstr(nic->mac, ==, "52:54:00:aa:00:05");
    g_assert_cmpstr(nic->bridge, ==, "br0");
    g_assert_cmpstr(nic->target, ==, "vnet0");
    g_assert_cmpstr(nic->guest_path, ==, "02.3/01.0");
    g_assert_null(nic->network);
    g_assert_true(nic->filtered);
}

static void
test_usb_hostdev_is_not_passthrough(void)
{
    g_autoptr(DomainXml) domain = parse(
        DOMAIN("<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev>"
               "<hostdev mode='capabilities' type='net'/>"));

    g_assert_cmpuint(domain->passthrough->len, ==, 0);
}

static void
test_disks(void)
{
    g_autoptr(DomainXml) domain = parse(DOMAIN(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
        "<source file='/images/a.qcow2'><encryption format='luks'/></source>"
        "<backingStore type='file'><source file='/images/base'/></backingStore>"
        "<target dev='vda' bus='virtio'/><shareable/><transient/></disk>"
        "<disk type='file' device='cdrom'><target dev='sda'/><readonly/><backingStore/></disk>"
        "<disk type='volume'><source pool='p' volume='v'/><target dev='vdb'/></disk>"
        "<disk type='network'><source protocol='nbd' name='n'/><target dev='vdc'/></disk>"
        "<disk type='block'><encryption format='luks'/><source dev='/dev/sdz'/>"
        "<target dev='vdd'/></disk>"));
    const DomainDisk *file = domain->disks->pdata[0], *cdrom = domain->disks->pdata[1];
    const DomainDisk *volume = domain->disks->pdata[2], *network = domain->disks->pdata[3];
    const DomainDisk *block = domain->disks->pdata[4];

    g_assert_cmpuint(domain->disks->len, ==, 5);
    g_assert_cmpstr(file->target, ==, "vda");
    g_assert_cmpstr(file->format, ==, "qcow2");
    g_assert_cmpstr(file->cache, ==, "none");
    g_assert_cmpstr(file->source, ==, "/images/a.qcow2");
    g_assert_true(file->encrypted && file->has_backing && file->shareable && file->transient);
    g_assert_false(file->read_only);
    g_assert_cmpstr(cdrom->device, ==, "cdrom");
    g_assert_null(cdrom->source);
    g_assert_true(cdrom->read_only);
    g_assert_false(cdrom->has_backing);
    g_assert_cmpstr(volume->source, ==, "p/v");
    g_assert_cmpstr(volume->pool, ==, "p");
    g_assert_cmpstr(volume->volume, ==, "v");
    g_assert_null(network->pool);
    g_assert_cmpstr(volume->format, ==, "raw");
    g_assert_cmpstr(volume->device, ==, "disk");
    g_assert_cmpstr(network->source, ==, "nbd:n");
    g_assert_cmpstr(block->source, ==, "/dev/sdz");
    g_assert_true(block->encrypted); /* as libvirt before 3.9 had it */
    g_assert_false(network->encrypted);
}

/* Only elements count, and what is not there has none. */
static void
test_elements_are_found_among_what_else_there_is(void)
{
    g_autoptr(xmlDoc) document =
        xml_tree_parse("<a>text<!-- note --><b/>text<c/></a>", "test", NULL);
    xmlNode *root = xmlDocGetRootElement(document);
    xmlNode *first = xml_tree_child(root, NULL), *last = xml_tree_child(root, "c");

    g_assert_cmpstr((const char *)first->name, ==, "b");
    g_assert_true(xml_tree_next(first, NULL) == last);
    g_assert_true(xml_tree_next(first, "c") == last);
    g_assert_null(xml_tree_next(last, NULL));
    g_assert_null(xml_tree_next(NULL, NULL));
    g_assert_null(xml_tree_child(root, "d"));
    g_assert_null(xml_tree_child(NULL, "a"));
}

static void
test_agent_channel(void)
{
    g_autoptr(DomainXml) none = parse(DOMAIN("<channel type='unix'><target name='x'/></channel>"));
    g_autoptr(DomainXml) absent =
        parse(DOMAIN("<channel type='unix'><target name='org.qemu.guest_agent.0' "
                     "state='disconnected'/></channel>"));
    g_autoptr(DomainXml) connected =
        parse(DOMAIN("<channel type='unix'><target name='org.qemu.guest_agent.0' "
                     "state='connected'/></channel>"));

    g_assert_false(none->has_agent);
    g_assert_true(absent->has_agent);
    g_assert_false(absent->agent_connected);
    g_assert_true(connected->agent_connected);
}

static char *
path_of(const char *devices, const char *address)
{
    g_autoptr(xmlDoc) document = xml_tree_parse(devices, "devices", NULL);
    PciAddress parsed;

    g_assert_true(pci_address_parse(address, &parsed));
    return guest_pci_path(xmlDocGetRootElement(document), &parsed);
}

#define CONTROLLER(index, model, bus, slot)                                                        \
    "<controller type='pci' index='" index "' model='" model "'><address type='pci' "              \
    "domain='0x0000' bus='" bus "' slot='" slot "' function='0x0'/></controller>"

static void
test_guest_path_climbs_to_the_root(void)
{
    const char *nested = "<devices>" CONTROLLER("1", "pcie-root-port", "0x00", "0x02")
        CONTROLLER("2", "pcie-switch-upstream-port", "0x01", "0x00")
            CONTROLLER("3", "pcie-switch-downstream-port", "0x02", "0x1f") "</devices>";
    const char *expander = "<devices>" CONTROLLER("8", "pcie-expander-bus", "0x00", "0x05")
        CONTROLLER("9", "pcie-root-port", "0x08", "0x01") "</devices>";
    g_autofree char *root = path_of("<devices/>", "0000:00:1d.7");
    g_autofree char *deep = path_of(nested, "0000:03:00.0");
    g_autofree char *below_expander = path_of(expander, "0000:09:00.0");

    g_assert_cmpstr(root, ==, "1d.7");
    g_assert_cmpstr(deep, ==, "02.0/00.0/1f.0/00.0");
    g_assert_cmpstr(below_expander, ==, "01.0/00.0");
}

static void
test_guest_path_without_a_way_up(void)
{
    const char *loop = "<devices>" CONTROLLER("1", "pcie-root-port", "0x02", "0x00")
        CONTROLLER("2", "pcie-root-port", "0x01", "0x00") "</devices>";
    g_autofree char *looping = path_of(loop, "0000:01:00.0");
    g_autofree char *orphan = path_of("<devices/>", "0000:07:00.0");

    g_assert_null(looping);
    g_assert_null(orphan);
}

static void
test_address_out_of_range_is_none(void)
{
    static const char *const bad[] = {
        "<address type='pci' bus='0x100' slot='0' function='0'/>",
        "<address type='pci' bus='0x1' slot='0x20' function='0'/>",
        "<address type='pci' bus='0x1' slot='0' function='8'/>",
        "<address type='pci' domain='0x10000' bus='0x1' slot='0' function='0'/>",
        "<address type='pci' bus='x' slot='0' function='0'/>",
        "<address type='pci' slot='0' function='0'/>",
        "<address type='drive' bus='0' slot='0' function='0'/>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *xml = g_strdup_printf("<device>%s</device>", bad[i]);
        g_autoptr(xmlDoc) document = xml_tree_parse(xml, "device", NULL);
        PciAddress address;

        g_assert_false(guest_pci_read_address(xmlDocGetRootElement(document), &address));
    }
}

static void
test_entities_are_refused(void)
{
    assert_refused("<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
                   "<domain><name>&x;</name><uuid>" UUID "</uuid></domain>",
                   FAULT_HYPERVISOR_FAILED, "document type");
    assert_refused("<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>"
                   "<!ENTITY c '&b;&b;&b;&b;'>]><domain><name>&c;</name></domain>",
                   FAULT_HYPERVISOR_FAILED, "document type");
    assert_refused("<!DOCTYPE domain SYSTEM 'http://127.0.0.1:1/x.dtd'>" DOMAIN(""),
                   FAULT_HYPERVISOR_FAILED, "document type");
    assert_refused("<domain><name>&x;</name></domain>", FAULT_HYPERVISOR_FAILED, "line 1");
}

static void
test_damaged_documents_are_refused(void)
{
    const char *whole = DOMAIN("<disk type='file'><target dev='vda'/></disk>");

    for (gsize length = 0; length < strlen(whole); length++) {
        g_autofree char *truncated = g_strndup(whole, length);

        assert_refused(truncated, FAULT_HYPERVISOR_FAILED, "");
    }
    assert_refused("<network><name>n</name><uuid>u</uuid></network>", FAULT_HYPERVISOR_FAILED,
                   "not a <domain>");
    assert_refused("<domain><name>n</name></domain>", FAULT_HYPERVISOR_FAILED, "UUID");
}

static char *
domain_of_size(gsize size)
{
    const char *head = "<domain><name>n</name><uuid>u</uuid><title>", *tail = "</title></domain>";
    g_autofree char *filling = g_strnfill(size - strlen(head) - strlen(tail), 'x');

    return g_strconcat(head, filling, tail, NULL);
}

static void
test_size_limit(void)
{
    g_autofree char *largest = domain_of_size(LIMIT_DOMAIN_XML_BYTES);
    g_autofree char *larger = domain_of_size(LIMIT_DOMAIN_XML_BYTES + 1);
    g_autoptr(DomainXml) domain = parse(largest);

    g_assert_cmpstr(domain->name, ==, "n");
    assert_refused(larger, FAULT_LIMIT_EXCEEDED, "larger than");
}

static void
test_depth_limit(void)
{
    g_autoptr(GString) xml = g_string_new(NULL);

    for (int i = 0; i < 1000; i++)
        g_string_append(xml, "<domain>");
    for (int i = 0; i < 1000; i++)
        g_string_append(xml, "</domain>");
    assert_refused(xml->str, FAULT_HYPERVISOR_FAILED, "depth");
}

static void
test_sources_of_which_little_is_said(void)
{
    static const struct {
        const char *disk, *source;
    } cases[] = {
        { "<disk type='volume'><source/></disk>", "/" },
        { "<disk type='volume'><source pool='p' volume='v'/></disk>", "p/v" },
        { "<disk type='network'><source/></disk>", ":" },
        { "<disk type='network'><source protocol='rbd' name='p/i'/></disk>", "rbd:p/i" },
        { "<disk/>", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain><name>n</name><uuid>u</uuid><devices>%s</devices></domain>", cases[i].disk);
        g_autoptr(DomainXml) domain = domain_xml_parse(xml, NULL);
        const DomainDisk *disk = domain->disks->pdata[0];

        g_assert_cmpstr(disk->source, ==, cases[i].source);
    }
}

static void
test_image_below_may_be_without_a_source(void)
{
    g_autoptr(DomainXml) domain =
        domain_xml_parse("<domain><name>n</name><uuid>u</uuid><devices><disk><backingStore>"
                         "<format type='raw'/></backingStore></disk></devices></domain>",
                         NULL);
    const DomainDisk *disk = domain->disks->pdata[0];

    g_assert_true(disk->has_backing);
    g_assert_null(((const DomainBacking *)disk->backing->pdata[0])->source);
}

static void
test_owner_is_kept_as_the_domain_says(void)
{
    static const struct {
        const char *label;
        gboolean kept;
    } cases[] = {
        { "", FALSE },
        { "<seclabel type='none'/>", TRUE },
        { "<seclabel relabel='no'/>", TRUE },
        { "<seclabel model='dac' type='none'/>", TRUE },
        { "<seclabel model='dac' relabel='yes'/>", FALSE },
        { "<seclabel model='selinux' relabel='no'/>", FALSE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf("<domain><name>n</name><uuid>u</uuid><devices>"
                                               "<disk/></devices>%s</domain>",
                                               cases[i].label);
        g_autoptr(DomainXml) domain = domain_xml_parse(xml, NULL);

        g_assert_cmpint(((const DomainDisk *)domain->disks->pdata[0])->owner_kept, ==,
                        cases[i].kept);
    }
}

static void
test_domain_has_a_name_and_a_uuid(void)
{
    static const char *const texts[] = { "<guest><name>n</name><uuid>u</uuid></guest>",
                                         "<domain><uuid>u</uuid></domain>",
                                         "<domain><name>n</name></domain>" };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(domain_xml_parse(texts[i], &error));
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-xml/hostdev", test_hostdev);
    g_test_add_func("/domain-xml/interface-hostdev", test_interface_hostdev);
    g_test_add_func("/domain-xml/network-without-a-model-is-passthrough",
                    test_network_without_a_model_is_passthrough);
    g_test_add_func("/domain-xml/virtio-nic", test_virtio_nic);
    g_test_add_func("/domain-xml/usb-hostdev-is-not-passthrough",
                    test_usb_hostdev_is_not_passthrough);
    g_test_add_func("/domain-xml/disks", test_disks);
    g_test_add_func("/domain-xml/elements", test_elements_are_found_among_what_else_there_is);
    g_test_add_func("/domain-xml/agent-channel", test_agent_channel);
    g_test_add_func("/domain-xml/guest-path/climbs-to-the-root",
                    test_guest_path_climbs_to_the_root);
    g_test_add_func("/domain-xml/guest-path/without-a-way-up", test_guest_path_without_a_way_up);
    g_test_add_func("/domain-xml/address-out-of-range-is-none", test_address_out_of_range_is_none);
    g_test_add_func("/domain-xml/refused/entities", test_entities_are_refused);
    g_test_add_func("/domain-xml/refused/damaged", test_damaged_documents_are_refused);
    g_test_add_func("/domain-xml/refused/size", test_size_limit);
    g_test_add_func("/domain-xml/refused/depth", test_depth_limit);
    g_test_add_func("/domain-xml/little-said", test_sources_of_which_little_is_said);
    g_test_add_func("/domain-xml/below-without-source", test_image_below_may_be_without_a_source);
    g_test_add_func("/domain-xml/owner-kept", test_owner_is_kept_as_the_domain_says);
    g_test_add_func("/domain-xml/named", test_domain_has_a_name_and_a_uuid);
    return g_test_run();
}
