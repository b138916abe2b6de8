/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest needs of its host is read from its XML, whatever units and forms it uses. */
#include <string.h>

#include "common/domain_features.h"
#include "common/fault.h"

static const char full[] =
    "<domain type='kvm'><name>web1</name><memory unit='MiB'>512</memory>"
    "<memoryBacking><hugepages><page size='2' unit='M'/></hugepages></memoryBacking>"
    "<vcpu current='2'>8</vcpu><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
    "<cpu mode='custom'><model>Haswell</model></cpu><devices>"
    "<emulator>/usr/bin/qemu-system-x86_64</emulator>"
    "<disk type='file' device='disk'><target dev='vda'/><mirror type='file'/></disk>"
    "<interface type='network'><source network='lan' bridge='virbr0'/><model type='virtio'/>"
    "</interface>"
    "<interface type='bridge'><source bridge='br0'/><model type='e1000'/></interface>"
    "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>"
    "<interface type='bridge'><source network='wan' portid='x' bridge='br7'/>"
    "<model type='virtio'/></interface>"
    "<interface type='network'><source network='blue'/></interface>"
    "<interface type='direct'><source dev='eth7' mode='bridge'/><model type='virtio'/></interface>"
    "<interface type='direct'><source dev='eth7' mode='bridge'/><model type='virtio'/></interface>"
    "<interface type='vhostuser'><source type='unix' path='/run/vhost1' mode='client'/></interface>"
    "<interface type='vhostuser'><source type='unix' path='/run/vhost2' mode='server'/></interface>"
    "<hostdev mode='subsystem' type='usb'><alias name='hostdev0'/></hostdev>"
    "<hostdev mode='subsystem' type='pci'><source>"
    "<address domain='0x0000' bus='0x01' slot='0x10' function='0x2'/></source></hostdev>"
    "</devices></domain>";

static void
assert_pages(const DomainFeatures *features, guint number, guint64 page_bytes, guint64 bytes)
{
    g_assert_cmpuint(number, <, features->huge_pages->len);
    const DomainPages *pages = &g_array_index(features->huge_pages, DomainPages, number);

    g_assert_cmpuint(pages->page_bytes, ==, page_bytes);
    g_assert_cmpuint(pages->bytes, ==, bytes);
}

static void
test_each_node_has_its_pages(void)
{
    static const char xml[] =
        "<domain><memory unit='MiB'>7</memory><memoryBacking><hugepages>"
        "<page size='1' unit='G' nodeset='1-2'/><page size='2048'/></hugepages></memoryBacking>"
        "<cpu><numa><cell id='0' memory='1' unit='MiB'/><cell id='1' memory='2' unit='MiB'/>"
        "<cell id='2' memory='3' unit='MiB'/></numa></cpu><devices>"
        "<memory model='dimm'><target><size unit='MiB'>1</size><node>0</node></target></memory>"
        "<memory model='dimm'><source><pagesize unit='KiB'>64</pagesize></source>"
        "<target><size unit='KiB'>128</size><node>0</node></target></memory></devices></domain>";
    g_autoptr(DomainFeatures) features = domain_features_parse(xml, NULL);

    g_assert_cmpuint(features->huge_pages->len, ==, 3);
    assert_pages(features, 0, 2ULL << 20, 2ULL << 20);
    assert_pages(features, 1, 1ULL << 30, 5ULL << 20);
    assert_pages(features, 2, 64ULL << 10, 128ULL << 10);
}

static void
test_nodes_without_huge_pages_need_none(void)
{
    static const char xml[] =
        "<domain><memory unit='MiB'>3</memory><memoryBacking><hugepages>"
        "<page size='2' unit='M' nodeset='1'/></hugepages></memoryBacking>"
        "<cpu><numa><cell id='0' memory='1' unit='MiB'/><cell id='1' memory='2' unit='MiB'/>"
        "</numa></cpu></domain>";
    g_autoptr(DomainFeatures) features = domain_features_parse(xml, NULL);
    g_autoptr(DomainFeatures) usual =
        domain_features_parse("<domain><memory>1024</memory></domain>", NULL);

    g_assert_cmpuint(features->huge_pages->len, ==, 1);
    assert_pages(features, 0, 2ULL << 20, 2ULL << 20);
    g_assert_cmpuint(usual->huge_pages->len, ==, 0);
}

static void
test_everything_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainFeatures) features = domain_features_parse(full, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(features->type, ==, "kvm");
    g_assert_cmpstr(features->architecture, ==, "x86_64");
    g_assert_cmpstr(features->machine, ==, "pc-q35-7.2");
    g_assert_cmpstr(features->emulator, ==, "/usr/bin/qemu-system-x86_64");
    g_assert_cmpstr(features->processor_mode, ==, "custom");
    g_assert_nonnull(strstr(features->processor, "Haswell"));
    g_assert_cmpuint(features->memory_bytes, ==, 512ULL << 20);
    assert_pages(features, 0, 2ULL << 20, 512ULL << 20);
    g_assert_cmpuint(features->huge_pages->len, ==, 1);
    g_assert_cmpuint(features->vcpus, ==, 2);
    g_assert_true(features->copying_disk);
}

static void
test_vnics_name_networks_and_bridges_once(void)
{
    g_autoptr(DomainFeatures) features = domain_features_parse(full, NULL);

    g_assert_cmpuint(g_strv_length(features->networks), ==, 2);
    g_assert_cmpstr(features->networks[0], ==, "lan");
    g_assert_cmpstr(features->network_bridges[0], ==, "virbr0");
    g_assert_cmpstr(features->networks[1], ==, "wan");
    g_assert_cmpstr(features->network_bridges[1], ==, "br7");
    g_assert_cmpuint(g_strv_length(features->bridges), ==, 1);
    g_assert_cmpstr(features->bridges[0], ==, "br0");
    g_assert_cmpuint(g_strv_length(features->devices), ==, 1);
    g_assert_cmpstr(features->devices[0], ==, "eth7");
    g_assert_cmpuint(g_strv_length(features->sockets), ==, 1);
    g_assert_cmpstr(features->sockets[0], ==, "/run/vhost1");
}

static void
test_host_devices_are_told_apart(void)
{
    g_autoptr(DomainFeatures) features = domain_features_parse(full, NULL);
    const DomainHostDevice *usb, *pci;

    g_assert_cmpuint(features->host_devices->len, ==, 2);
    usb = features->host_devices->pdata[0];
    pci = features->host_devices->pdata[1];
    g_assert_cmpstr(usb->kind, ==, "usb");
    g_assert_cmpstr(usb->label, ==, "hostdev0");
    g_assert_null(usb->function);
    g_assert_cmpstr(pci->function, ==, "0000:01:10.2");
}

static void
test_small_domain_has_defaults(void)
{
    g_autoptr(DomainFeatures) features = domain_features_parse(
        "<domain><name>a</name><memory>1024</memory><memoryBacking><hugepages/></memoryBacking>"
        "</domain>",
        NULL);

    g_assert_cmpuint(features->memory_bytes, ==, 1024 * 1024);
    assert_pages(features, 0, HUGE_PAGES_DEFAULT_SIZE, features->memory_bytes);
    g_assert_cmpuint(features->vcpus, ==, 1);
    g_assert_null(features->machine);
    g_assert_null(features->processor);
    g_assert_cmpuint(g_strv_length(features->networks), ==, 0);
    g_assert_cmpuint(features->host_devices->len, ==, 0);
}

static void
test_malformed_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(domain_features_parse("<domain", &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-features/everything", test_everything_is_read);
    g_test_add_func("/domain-features/vnics", test_vnics_name_networks_and_bridges_once);
    g_test_add_func("/domain-features/host-devices", test_host_devices_are_told_apart);
    g_test_add_func("/domain-features/defaults", test_small_domain_has_defaults);
    g_test_add_func("/domain-features/malformed", test_malformed_is_refused);
    g_test_add_func("/domain-features/pages-of-nodes", test_each_node_has_its_pages);
    g_test_add_func("/domain-features/usual-pages", test_nodes_without_huge_pages_need_none);
    return g_test_run();
}
