/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netprepd's checks: each one on a host where it holds, and on one where it is broken. */
#include <glib/gstdio.h>
#include <string.h>

#include "fake/checked_network.h"
#include "fake/fake_sysfs.h"
#include "netprep/check_service.h"

static void
set_report(void *data, const char *mode, int monitor, const char *primary, int announcements)
{
    checked_network_report(data, mode, monitor, primary, announcements, "none");
}

static void
remove_path(void *data, const char *path)
{
    const CheckedNetwork *world = data;
    g_autofree char *full = g_build_filename(world->fixture->sysfs, path, NULL);

    g_assert_cmpint(g_rmdir(full), ==, 0);
}

static void
turn_iommu_off(void *data)
{
    remove_path(data, "kernel/iommu_groups/7");
}

static void
unload_vfio(void *data)
{
    remove_path(data, "bus/pci/drivers/vfio-pci");
}

static void
give_usb_device(void *data)
{
    const CheckedNetwork *world = data;

    fake_hypervisor_remove_guest(world->fixture->hypervisor, FIXTURE_UUID);
    checked_network_add_guest(
        data, "</interface><hostdev mode='subsystem' type='usb'><alias name='hostdev7'/>"
              "</hostdev><interface type='bridge'>");
}

static void
silence_agent(void *data)
{
    fake_guest_set_silent(((CheckedNetwork *)data)->fixture->guest, TRUE);
}

static void
filter_backup(void *data)
{
    const CheckedNetwork *world = data;

    fake_hypervisor_remove_guest(world->fixture->hypervisor, FIXTURE_UUID);
    checked_network_add_guest(data, "<filterref filter='clean-traffic'/>");
}

static void
take_bond_away(void *data)
{
    fake_guest_set_report(((CheckedNetwork *)data)->fixture->guest,
                          "{\"interfaces\":[{\"name\":\"vf\",\"driver\":\"igbvf\","
                          "\"pciPath\":\"04.0\",\"carrier\":true,\"master\":null}],\"bonds\":[]}");
}

static void
balance(void *data)
{
    set_report(data, "balance-rr", 100, "vf", 3);
}

static void
stop_monitoring(void *data)
{
    set_report(data, "active-backup", 0, "vf", 3);
}

static void
prefer_virtio(void *data)
{
    set_report(data, "active-backup", 100, "virtio", 3);
}

static void
announce_once(void *data)
{
    set_report(data, "active-backup", 100, "vf", 1);
}

static void
forbid_exec(void *data)
{
    fake_guest_set_exec(((CheckedNetwork *)data)->fixture->guest, FALSE);
}

static void
lead_elsewhere(void *data)
{
    fake_leg_probe_set_silent(((CheckedNetwork *)data)->fixture->probe, "br0");
}

static void
change_macs(void *data)
{
    checked_network_report(data, "active-backup", 100, "vf", 3, "active");
}

static void
load_xdp(void *data)
{
    ((CheckedNetwork *)data)->xdp = TRUE;
    set_report(data, "active-backup", 100, "vf", 3);
}

/* The guest again, with this in place of @from. */
static void
replace_guest(const CheckedNetwork *world, const char *from, const char *to)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(world->fixture->host->hypervisor, "web1", NULL);
    g_auto(GStrv) parts = g_strsplit(guest->xml, from, 2);
    g_autofree char *xml = g_strjoinv(to, parts);

    g_assert_nonnull(parts[1]);
    fake_hypervisor_remove_guest(world->fixture->hypervisor, FIXTURE_UUID);
    fake_hypervisor_add_guest(world->fixture->hypervisor, xml, GUEST_STATE_RUNNING, TRUE);
}

static void
sit_on_root(void *data)
{
    replace_guest(data, "pc-i440fx-7.2", "pc-q35-7.2");
}

static void
boot_from_function(void *data)
{
    replace_guest(data, "<alias name='hostdev0'/>", "<boot order='2'/><alias name='hostdev0'/>");
}

static void
lack_acpi(void *data)
{
    replace_guest(data, "<acpi/>", "");
}

static const CheckCase cases[] = {
    { "host.iommu-on", CHECK_BLOCKER, turn_iommu_off, "no IOMMU groups", checked_network_alone },
    { "host.vfio-present", CHECK_WARNING, unload_vfio, "vfio-pci", checked_network_alone },
    { "guest.no-host-devices", CHECK_BLOCKER, give_usb_device, "usb device hostdev7",
      checked_network_has_guest },
    { "guest.agent-answers", CHECK_BLOCKER, silence_agent, "does not tell",
      checked_network_has_guest },
    { "network.backup-present", CHECK_BLOCKER, take_bond_away, "in no bond",
      checked_network_has_guest },
    { "network.backup-unfiltered", CHECK_BLOCKER, filter_backup, "network filter",
      checked_network_has_guest },
    { "network.bond-mode", CHECK_BLOCKER, balance, "balance-rr", checked_network_has_guest },
    { "network.bond-monitoring", CHECK_BLOCKER, stop_monitoring, "miimon is 0",
      checked_network_has_guest },
    { "network.bond-primary", CHECK_WARNING, prefer_virtio, "primary is virtio",
      checked_network_has_guest },
    { "network.bond-announcements", CHECK_WARNING, announce_once, "num_grat_arp is 1",
      checked_network_has_guest },
    { "guest.agent-permits", CHECK_WARNING, forbid_exec, "guest-exec", checked_network_has_guest },
    { "network.no-xdp", CHECK_WARNING, load_xdp, "vf has an XDP program",
      checked_network_has_guest },
    { "network.bond-mac", CHECK_WARNING, change_macs, "fail_over_mac is active",
      checked_network_has_guest },
    { "network.backup-carries", CHECK_BLOCKER, lead_elsewhere, "leads elsewhere",
      checked_network_has_guest },
    { "network.boot-order", CHECK_INFORMATION, boot_from_function, "number 2 to boot from",
      checked_network_has_guest },
    { "network.hotplug-possible", CHECK_BLOCKER, sit_on_root, "root complex",
      checked_network_has_guest },
    { "network.hotplug-fast", CHECK_INFORMATION, lack_acpi, "no ACPI", checked_network_has_guest },
};

static void
test_unknown_guest_is_left_to_those_who_know(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();
    g_autoptr(CheckReport) report = network_check_source(world->fixture->host, "nonesuch");

    g_assert_cmpuint(report->results->len, ==, 0);
}

/* The kernel's team needs no bond; a guest without one is told that the team is not there. */
static void
test_team_is_not_judged_as_a_bond(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    fake_hypervisor_add_guest(
        world->fixture->hypervisor,
        "<domain type='kvm' id='1'><name>web1</name><uuid>" FIXTURE_UUID "</uuid><devices>"
        "<interface type='bridge'><mac address='52:54:00:aa:00:01'/><source bridge='br0'/>"
        "<teaming type='persistent'/><model type='virtio'/><alias name='ua-backup'/>"
        "<address type='pci' domain='0' bus='0' slot='3' function='0'/></interface>"
        "<interface type='hostdev'><mac address='52:54:00:aa:00:01'/><source>"
        "<address type='pci' domain='0' bus='1' slot='16' function='0'/></source>"
        "<teaming type='transient' persistent='ua-backup'/><alias name='ua-vf'/>"
        "<address type='pci' domain='0' bus='0' slot='4' function='0'/></interface>"
        "</devices></domain>",
        GUEST_STATE_RUNNING, TRUE);
    take_bond_away(world);
    g_autoptr(CheckReport) report = network_check_source(world->fixture->host, "web1");
    g_assert_cmpint(check_case_outcome(report, "guest.agent-answers"), ==, CHECK_PASSED);
    g_assert_cmpint(check_case_outcome(report, "network.backup-present"), ==, CHECK_FAILED);
    g_assert_null(check_report_find(report, "network.bond-mode", NULL));
}

/* Each of them stays behind, or keeps the guest where it is. */
static void
test_devices_of_each_kind_are_named(void)
{
    static const char *const kinds[] = { "usb", "scsi", "scsi_host", "mdev", "pci" };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(CheckedNetwork) world = checked_network_new();
        g_autofree char *devices = g_strdup_printf(
            "</interface><hostdev mode='subsystem' type='%s'><source>"
            "<address domain='0' bus='9' slot='0' function='0' uuid='" FIXTURE_UUID "'/></source>"
            "<alias name='ua-odd'/></hostdev><interface type='bridge'>",
            kinds[i]);
        g_autofree char *wanted = g_strdup_printf(
            g_str_equal(kinds[i], "pci") ? "PCI device 0000:09:00.0" : "%s device ua-odd",
            kinds[i]);

        checked_network_add_guest(world, devices);
        g_autoptr(CheckReport) report = network_check_source(world->fixture->host, "web1");
        const CheckResult *result = check_report_find(report, "guest.no-host-devices", NULL);
        g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
        g_assert_nonnull(strstr(result->evidence, wanted));
        g_assert_cmpstr(result->remedy, ==,
                        "virsh detach-device-alias web1 ua-odd --live --config");
    }
}

static void
test_silent_agent_leaves_bonds_unknown(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_has_guest(world);
    silence_agent(world);
    g_autoptr(CheckReport) report = network_check_source(world->fixture->host, "web1");
    g_assert_cmpint(check_case_outcome(report, "network.bond-mode"), ==, CHECK_UNKNOWN);
    g_assert_cmpint(check_case_outcome(report, "network.backup-present"), ==, CHECK_UNKNOWN);
}

/* Each question to the agent is a round trip, so what the report has is not asked for again. */
static void
test_neighbours_are_taken_from_the_report(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_has_guest(world);
    fake_guest_set_files(world->fixture->guest, FALSE);
    lead_elsewhere(world);
    g_autoptr(CheckReport) silent = network_check_source(world->fixture->host, "web1");
    g_assert_cmpint(check_case_outcome(silent, "network.backup-carries"), ==, CHECK_UNKNOWN);
    world->arp = "10.99.0.254 0x1 0x2 52:54:00:00:00:01 * bond0\\n";
    set_report(world, "active-backup", 100, "vf", 3);
    g_autoptr(CheckReport) told = network_check_source(world->fixture->host, "web1");
    g_assert_cmpint(check_case_outcome(told, "network.backup-carries"), ==, CHECK_FAILED);
}

static void
test_source_tells_what_the_destination_asks(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();
    g_autoptr(GError) error = NULL;

    checked_network_has_guest(world);
    g_autoptr(CheckReport) source = network_check_source(world->fixture->host, "web1");
    g_assert_cmpuint(json_array_size(json_object_get(source->facts, "vnics")), ==, 1);
    g_assert_cmpuint(json_array_size(json_object_get(source->facts, "macAddresses")), ==, 1);
    g_assert_cmpstr(json_string_value(json_array_get(json_object_get(source->facts, "bridges"), 0)),
                    ==, "br0");
    g_autoptr(CheckReport) there =
        network_check_destination(world->fixture->host, source->facts, &error);
    g_assert_no_error(error);
    g_assert_cmpint(check_report_find(there, "network.bridges-there", "bridge br0")->outcome, ==,
                    CHECK_PASSED);
}

static void
test_nothing_is_changed(void)
{
    static const char *const reading[] = { "get_guest", "list_guests", "list_networks",
                                           "agent_command" };
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_has_guest(world);
    checked_network_arrives(world);
    g_autofree char *before = check_case_snapshot(world->fixture->sysfs);
    g_autoptr(CheckReport) source = network_check_source(world->fixture->host, "web1");
    g_autoptr(CheckReport) there =
        network_check_destination(world->fixture->host, world->facts, NULL);
    g_autoptr(CheckReport) alone = network_check_host(world->fixture->host);
    g_autofree char *after = check_case_snapshot(world->fixture->sysfs);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(alone->results->len, >, 0);
    for (const char *const *call = fake_hypervisor_calls(world->fixture->hypervisor); *call;
         call++) {
        gboolean known = FALSE;

        for (gsize i = 0; i < G_N_ELEMENTS(reading); i++)
            known = known || g_str_has_prefix(*call, reading[i]);
        g_assert_cmpstr(known ? "" : *call, ==, "");
    }
    for (int option = 0; option < FUNCTION_OPTIONS; option++)
        g_assert_cmpuint(
            fake_function_control_count(world->fixture->control, (FunctionOption)option), ==, 0);
    g_autoptr(Lease) lease = network_fixture_lease(world->fixture);
    g_assert_null(lease);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_suite_add(&checked_network_suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/network-check/no-guest", test_unknown_guest_is_left_to_those_who_know);
    g_test_add_func("/network-check/host-devices", test_devices_of_each_kind_are_named);
    g_test_add_func("/network-check/team", test_team_is_not_judged_as_a_bond);
    g_test_add_func("/network-check/silent-agent", test_silent_agent_leaves_bonds_unknown);
    g_test_add_func("/network-check/neighbours-told", test_neighbours_are_taken_from_the_report);
    g_test_add_func("/network-check/told", test_source_tells_what_the_destination_asks);
    g_test_add_func("/network-check/no-change", test_nothing_is_changed);
    return g_test_run();
}
