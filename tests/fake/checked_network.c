/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/checked_network.h"

#include "fake/fake_sysfs.h"
#include "netprep/check_service.h"

#define ARRIVING "0000:09:10.0"

CheckedNetwork *
checked_network_new(void)
{
    CheckedNetwork *world = g_new0(CheckedNetwork, 1);

    world->fixture = network_fixture_new();
    world->facts = json_object();
    fake_sysfs_set_link(world->fixture->sysfs, "br0", "flags", "0x1\n");
    return world;
}

void
checked_network_free(CheckedNetwork *world)
{
    network_fixture_free(world->fixture);
    json_decref(world->facts);
    g_free(world);
}

/* The guest's xml, with @from replaced. */
void
checked_network_add_guest(const CheckedNetwork *world, const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm' id='1'><name>web1</name><uuid>" FIXTURE_UUID "</uuid>"
        "<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os>"
        "<features><acpi/></features><devices>"
        "<interface type='bridge'><mac address='52:54:00:aa:00:01'/><source bridge='br0'/>"
        "<target dev='vnet0'/><model type='virtio'/>%s<alias name='net0'/>"
        "<address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0'/></interface>"
        "<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>"
        "<address domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></source>"
        "<alias name='hostdev0'/>"
        "<address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/></hostdev>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' "
        "state='connected'/></channel></devices></domain>",
        devices);

    fake_hypervisor_add_guest(world->fixture->hypervisor, xml, GUEST_STATE_RUNNING, TRUE);
}

/* A report as netprep-guest prints it. */
void
checked_network_report(void *data, const char *mode, int monitor, const char *primary,
                       int announcements, const char *fail_over_mac)
{
    const CheckedNetwork *world = data;
    g_autofree char *arp = world->arp ? g_strdup_printf("\"arp\":\"%s\",", world->arp) : NULL;
    g_autofree char *report = g_strdup_printf(
        "{%s\"interfaces\":["
        "{\"name\":\"virtio\",\"driver\":\"virtio_net\",\"pciPath\":\"03.0\",\"carrier\":true,"
        "\"master\":\"bond0\"},{\"name\":\"bond0\",\"driver\":null,\"pciPath\":null,"
        "\"carrier\":true,\"master\":null,\"mac\":\"52:54:00:aa:00:09\"},"
        "{\"name\":\"vf\",\"driver\":\"igbvf\",\"pciPath\":\"04.0\",\"carrier\":true,"
        "\"xdp\":%s,\"master\":\"bond0\"}],"
        "\"bonds\":[{\"name\":\"bond0\",\"mode\":\"%s\",\"active\":\"vf\",\"primary\":\"%s\","
        "\"monitorIntervalMilliseconds\":%d,\"gratuitousArp\":%d,\"failOverMac\":\"%s\","
        "\"ports\":[\"virtio\",\"vf\"]}]}",
        arp ? arp : "", world->xdp ? "true" : "false", mode, primary, monitor, announcements,
        fail_over_mac);

    fake_guest_set_report(world->fixture->guest, report);
}

void
checked_network_has_guest(void *data)
{
    checked_network_add_guest(data, "");
    checked_network_report(data, "active-backup", 100, "vf", 3, "none");
}

void
checked_network_arrives(void *data)
{
    CheckedNetwork *world = data;
    Vnic vnic = { .alias = "hostdev0",
                  .function = ARRIVING,
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = "blue",
                  .settings = { .spoof_check = TRUE, .trust = TRUE, .maximum_rate = 1000 },
                  .bond = "bond0",
                  .backup = "virtio" };

    json_object_set_new(world->facts, "networks", json_pack("[s]", "blue"));
    json_object_set_new(world->facts, "bridges", json_pack("[s]", "br0"));
    json_object_set_new(world->facts, "vnics", json_pack("[o]", vnic_to_json(&vnic)));
    json_object_set_new(world->facts, "links",
                        json_pack("[{s:s, s:i, s:s}]", "name", "br0", "mtu", 1500, "vlans", ""));
    json_object_set_new(world->facts, "cards",
                        json_pack("[{s:s, s:i, s:s, s:s, s:s, s:s}]", "network", "blue", "mtu",
                                  1500, "model", "8086:10c9", "switchMode", "legacy", "driver",
                                  FAKE_FUNCTION_DRIVER, "firmware", FAKE_FUNCTION_FIRMWARE));
    json_object_set_new(world->facts, "devices", json_pack("[s]", "npf0"));
    json_object_set_new(world->facts, "sockets", json_pack("[s]", "/class/net"));
    json_object_set_new(world->facts, "memoryNodes", json_string("1"));
    fake_sysfs_set_link(world->fixture->sysfs, "npf0", "flags", "0x1003\n");
    fake_sysfs_set_link(world->fixture->sysfs, "npf0", "speed", "10000\n");
    json_object_set_new(world->facts, "macAddresses", json_pack("[s]", FIXTURE_MAC));
    fake_sysfs_set_link(world->fixture->sysfs, "br0", "mtu", "1500\n");
    fake_sysfs_set_device(world->fixture->sysfs, "0000:01:00.0", "vendor", "0x8086\n");
    fake_sysfs_set_device(world->fixture->sysfs, "0000:01:00.0", "device", "0x10c9\n");
}

static void
make_directory(const CheckedNetwork *world, const char *path)
{
    g_autofree char *full = g_build_filename(world->fixture->sysfs, path, NULL);

    g_assert_cmpint(g_mkdir_with_parents(full, 0700), ==, 0);
}

void
checked_network_alone(void *data)
{
    make_directory(data, "kernel/iommu_groups/7");
    make_directory(data, "bus/pci/drivers/vfio-pci");
}

static CheckReport *
run(void *data, const CheckCase *test)
{
    const CheckedNetwork *world = data;
    const NetworkHost *host = world->fixture->host;
    g_autoptr(GError) error = NULL;

    if (test->prepare == checked_network_alone)
        return network_check_host(host);
    if (test->prepare == checked_network_has_guest)
        return network_check_source(host, "web1");
    CheckReport *report = network_check_destination(host, world->facts, &error);
    g_assert_no_error(error);
    return report;
}

static void *
new_world(void)
{
    return checked_network_new();
}

static void
free_world(void *world)
{
    checked_network_free(world);
}

const CheckSuite checked_network_suite = { new_world, free_world, run };
