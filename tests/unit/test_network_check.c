/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netprepd's checks: each one on a host where it holds, and on one where it is broken. */
#include <glib/gstdio.h>
#include <net/if.h>
#include <string.h>

#include "fake/check_case.h"
#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/check_service.h"

#define ARRIVING "0000:09:10.0"
#define OTHER    "11111111-2222-3333-4444-555555555555"

/* A host, and what another host told of a guest that is to come. */
typedef struct {
    NetworkFixture *fixture;
    json_t *facts;
} World;

static void *
world_new(void)
{
    World *world = g_new0(World, 1);

    world->fixture = network_fixture_new();
    world->facts = json_object();
    fake_sysfs_set_link(world->fixture->sysfs, "br0", "flags", "0x1\n");
    return world;
}

static void
world_free(void *data)
{
    World *world = data;

    network_fixture_free(world->fixture);
    json_decref(world->facts);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

static void
make_directory(const World *world, const char *path)
{
    g_autofree char *full = g_build_filename(world->fixture->sysfs, path, NULL);

    g_assert_cmpint(g_mkdir_with_parents(full, 0700), ==, 0);
}

/* The guest's xml, with @from replaced. */
static void
add_guest(const World *world, const char *devices)
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
static void
set_whole_report(void *data, const char *mode, int monitor, const char *primary, int announcements,
                 const char *fail_over_mac)
{
    const World *world = data;
    g_autofree char *report = g_strdup_printf(
        "{\"interfaces\":["
        "{\"name\":\"virtio\",\"driver\":\"virtio_net\",\"pciPath\":\"03.0\",\"carrier\":true,"
        "\"master\":\"bond0\"},{\"name\":\"bond0\",\"driver\":null,\"pciPath\":null,"
        "\"carrier\":true,\"master\":null,\"mac\":\"52:54:00:aa:00:09\"},"
        "{\"name\":\"vf\",\"driver\":\"igbvf\",\"pciPath\":\"04.0\",\"carrier\":true,"
        "\"master\":\"bond0\"}],"
        "\"bonds\":[{\"name\":\"bond0\",\"mode\":\"%s\",\"active\":\"vf\",\"primary\":\"%s\","
        "\"monitorIntervalMilliseconds\":%d,\"gratuitousArp\":%d,\"failOverMac\":\"%s\","
        "\"ports\":[\"virtio\",\"vf\"]}]}",
        mode, primary, monitor, announcements, fail_over_mac);

    fake_guest_set_report(world->fixture->guest, report);
}

static void
set_report(void *data, const char *mode, int monitor, const char *primary, int announcements)
{
    set_whole_report(data, mode, monitor, primary, announcements, "none");
}

static void
have_guest(void *data)
{
    add_guest(data, "");
    set_report(data, "active-backup", 100, "vf", 3);
}

static void
have_arrival(void *data)
{
    World *world = data;
    Vnic vnic = { .alias = "hostdev0",
                  .function = ARRIVING,
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = "blue",
                  .settings = { .spoof_check = TRUE, .trust = TRUE },
                  .bond = "bond0",
                  .backup = "virtio" };

    json_object_set_new(world->facts, "networks", json_pack("[s]", "blue"));
    json_object_set_new(world->facts, "bridges", json_pack("[s]", "br0"));
    json_object_set_new(world->facts, "vnics", json_pack("[o]", vnic_to_json(&vnic)));
    json_object_set_new(world->facts, "links",
                        json_pack("[{s:s, s:i, s:s}]", "name", "br0", "mtu", 1500, "vlans", ""));
    json_object_set_new(world->facts, "cards",
                        json_pack("[{s:s, s:i, s:s, s:s}]", "network", "blue", "mtu", 1500, "model",
                                  "8086:10c9", "switchMode", "legacy"));
    json_object_set_new(world->facts, "macAddresses", json_pack("[s]", FIXTURE_MAC));
    fake_sysfs_set_link(world->fixture->sysfs, "br0", "mtu", "1500\n");
    fake_sysfs_set_device(world->fixture->sysfs, "0000:01:00.0", "vendor", "0x8086\n");
    fake_sysfs_set_device(world->fixture->sysfs, "0000:01:00.0", "device", "0x10c9\n");
}

static void
have_passthrough(void *data)
{
    make_directory(data, "kernel/iommu_groups/7");
    make_directory(data, "bus/pci/drivers/vfio-pci");
}

static void
remove_path(void *data, const char *path)
{
    const World *world = data;
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
    const World *world = data;

    fake_hypervisor_remove_guest(world->fixture->hypervisor, FIXTURE_UUID);
    add_guest(data, "</interface><hostdev mode='subsystem' type='usb'><alias name='hostdev7'/>"
                    "</hostdev><interface type='bridge'>");
}

static void
silence_agent(void *data)
{
    fake_guest_set_silent(((World *)data)->fixture->guest, TRUE);
}

static void
filter_backup(void *data)
{
    const World *world = data;

    fake_hypervisor_remove_guest(world->fixture->hypervisor, FIXTURE_UUID);
    add_guest(data, "<filterref filter='clean-traffic'/>");
}

static void
take_bond_away(void *data)
{
    fake_guest_set_report(((World *)data)->fixture->guest,
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
need_other_network(void *data)
{
    json_object_set_new(((World *)data)->facts, "networks", json_pack("[s, s]", "blue", "red"));
}

static void
take_bridge_down(void *data)
{
    fake_sysfs_set_link(((World *)data)->fixture->sysfs, "br0", "flags", "0x0\n");
}

static void
cut_port_off(void *data)
{
    fake_sysfs_set_link(((World *)data)->fixture->sysfs, "npf0", "carrier", "0\n");
}

static void
forget_trust(void *data)
{
    const World *world = data;

    fake_function_control_settings(world->fixture->control, 0)->unreported =
        FUNCTION_OPTION_BIT(FUNCTION_OPTION_TRUST);
}

static void
forbid_exec(void *data)
{
    fake_guest_set_exec(((World *)data)->fixture->guest, FALSE);
}

static void
lead_elsewhere(void *data)
{
    fake_leg_probe_set_silent(((World *)data)->fixture->probe, "br0");
}

static void
change_macs(void *data)
{
    set_whole_report(data, "active-backup", 100, "vf", 3, "active");
}

/* The guest again, with this in place of @from. */
static void
replace_guest(const World *world, const char *from, const char *to)
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
lack_acpi(void *data)
{
    replace_guest(data, "<acpi/>", "");
}

static void
change_link(void *data, const char *list, const char *member, json_t *value)
{
    json_object_set_new(json_array_get(json_object_get(((World *)data)->facts, list), 0), member,
                        value);
}

static void
lead_to_vlan(void *data)
{
    change_link(data, "links", "vlans", json_string("100"));
}

static void
want_jumbo_frames(void *data)
{
    change_link(data, "cards", "mtu", json_integer(9000));
}

static void
come_from_other_card(void *data)
{
    change_link(data, "cards", "model", json_string("15b3:1018"));
}

static void
switch_otherwise(void *data)
{
    fake_sysfs_set_link(((World *)data)->fixture->sysfs, "npf0", "phys_switch_id", "0a0b0c\n");
}

static void
run_namesake(void *data)
{
    fake_hypervisor_add_guest(
        ((World *)data)->fixture->hypervisor,
        "<domain type='kvm' id='2'><name>db1</name><uuid>" OTHER "</uuid><devices>"
        "<interface type='bridge'><mac address='52:54:00:AA:00:01'/></interface></devices>"
        "</domain>",
        GUEST_STATE_RUNNING, TRUE);
}

static CheckReport *
run_role(void *data, const CheckCase *test)
{
    const World *world = data;
    const NetworkHost *host = world->fixture->host;
    g_autoptr(GError) error = NULL;

    if (test->prepare == have_passthrough)
        return network_check_host(host);
    if (test->prepare == have_guest)
        return network_check_source(host, "web1");
    CheckReport *report = network_check_destination(host, world->facts, &error);
    g_assert_no_error(error);
    return report;
}

static const CheckCase cases[] = {
    { "host.iommu-on", turn_iommu_off, "no IOMMU groups", have_passthrough },
    { "host.vfio-present", unload_vfio, "vfio-pci", have_passthrough },
    { "guest.no-host-devices", give_usb_device, "usb device hostdev7", have_guest },
    { "guest.agent-answers", silence_agent, "does not tell", have_guest },
    { "network.backup-present", take_bond_away, "in no bond", have_guest },
    { "network.backup-unfiltered", filter_backup, "network filter", have_guest },
    { "network.bond-mode", balance, "balance-rr", have_guest },
    { "network.bond-monitoring", stop_monitoring, "miimon is 0", have_guest },
    { "network.bond-primary", prefer_virtio, "primary is virtio", have_guest },
    { "network.bond-announcements", announce_once, "num_grat_arp is 1", have_guest },
    { "guest.agent-permits", forbid_exec, "guest-exec", have_guest },
    { "network.bond-mac", change_macs, "fail_over_mac is active", have_guest },
    { "network.backup-carries", lead_elsewhere, "leads elsewhere", have_guest },
    { "network.hotplug-possible", sit_on_root, "root complex", have_guest },
    { "network.hotplug-fast", lack_acpi, "no ACPI", have_guest },
    { "network.bridges-alike", lead_to_vlan, "VLAN none, on the guest's host to 100",
      have_arrival },
    { "network.mtu-enough", want_jumbo_frames, "MTU 1500, on the guest's host 9000", have_arrival },
    { "network.functions-same-card", come_from_other_card, "8086:10c9", have_arrival },
    { "network.switch-mode-same", switch_otherwise, "switchdev", have_arrival },
    { "network.mac-unused", run_namesake, "guest 'db1' has it", have_arrival },
    { "network.networks-there", need_other_network, "not active", have_arrival },
    { "network.bridges-there", take_bridge_down, "is down", have_arrival },
    { "network.functions-free", cut_port_off, "0 of its 4 VFs", have_arrival },
    { "network.functions-settings-supported", forget_trust, "trust", have_arrival },
};
static const CheckSuite suite = { world_new, world_free, run_role };

static void
test_unknown_guest_is_left_to_those_who_know(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(CheckReport) report = network_check_source(world->fixture->host, "nonesuch");

    g_assert_cmpuint(report->results->len, ==, 0);
}

/* The kernel's team needs no bond; a guest without one is told that the team is not there. */
static void
test_team_is_not_judged_as_a_bond(void)
{
    g_autoptr(World) world = world_new();

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

static void
test_guest_without_functions_needs_none_there(void)
{
    g_autoptr(World) world = world_new();
    json_auto_t *facts = json_pack("{s:[], s:[], s:[s], s:[], s:[], s:[]}", "macAddresses",
                                   "networks", "bridges", "br0", "vnics", "links", "cards");
    g_autoptr(CheckReport) report = network_check_destination(world->fixture->host, facts, NULL);

    g_assert_cmpuint(report->results->len, ==, 1);
    g_assert_cmpstr(((CheckResult *)report->results->pdata[0])->kind->id, ==,
                    "network.bridges-there");
}

static void
test_silent_agent_leaves_bonds_unknown(void)
{
    g_autoptr(World) world = world_new();

    have_guest(world);
    silence_agent(world);
    g_autoptr(CheckReport) report = network_check_source(world->fixture->host, "web1");
    g_assert_cmpint(check_case_outcome(report, "network.bond-mode"), ==, CHECK_UNKNOWN);
    g_assert_cmpint(check_case_outcome(report, "network.backup-present"), ==, CHECK_UNKNOWN);
}

/* A network is the same by its name; its bridge may be called otherwise here. */
static void
test_networks_are_judged_by_the_bridge_that_they_have_here(void)
{
    g_autoptr(World) world = world_new();

    have_arrival(world);
    fake_hypervisor_add_bridge(world->fixture->hypervisor, "lan", "br5");
    fake_sysfs_add_virtual(world->fixture->sysfs, "br5", "bridge", NULL);
    fake_sysfs_set_link(world->fixture->sysfs, "br5", "flags", "0x0\n");
    fake_sysfs_set_link(world->fixture->sysfs, "br5", "mtu", "1400\n");
    json_object_set_new(world->facts, "networks", json_pack("[s]", "lan"));
    json_object_set_new(world->facts, "links",
                        json_pack("[{s:s, s:s, s:i, s:s}]", "name", "br0", "network", "lan", "mtu",
                                  1500, "vlans", ""));
    g_autoptr(CheckReport) report =
        network_check_destination(world->fixture->host, world->facts, NULL);
    const CheckResult *small = check_report_find(report, "network.mtu-enough", "bridge br5");
    g_assert_cmpint(small->outcome, ==, CHECK_FAILED);
    g_assert_cmpstr(small->remedy, ==, "ip link set br5 mtu 1500");
    g_assert_cmpint(check_report_find(report, "network.bridges-there", "bridge br5")->outcome, ==,
                    CHECK_FAILED);
    g_assert_cmpint(check_case_outcome(report, "network.networks-there"), ==, CHECK_PASSED);
}

/* A card sends frames to the first that has their address; who it is shut off for has none. */
static void
test_mac_that_was_left_on_a_function_is_told(void)
{
    g_autoptr(World) world = world_new();

    have_arrival(world);
    g_assert_true(function_mac_from_text(
        FIXTURE_MAC, fake_function_control_settings(world->fixture->control, 2)->mac));
    g_autoptr(CheckReport) left =
        network_check_destination(world->fixture->host, world->facts, NULL);
    const CheckResult *result = check_report_find(left, "network.mac-unused", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_cmpstr(result->remedy, ==, "ip link set npf0 vf 2 mac 00:00:00:00:00:00");

    memset(fake_function_control_settings(world->fixture->control, 2)->mac, 0, FUNCTION_MAC_BYTES);
    run_namesake(world);
    fake_hypervisor_set_state(world->fixture->hypervisor, OTHER, GUEST_STATE_SHUT_OFF);
    g_autoptr(CheckReport) off =
        network_check_destination(world->fixture->host, world->facts, NULL);
    g_assert_cmpint(check_case_outcome(off, "network.mac-unused"), ==, CHECK_PASSED);
}

static void
test_what_the_source_did_not_tell_is_unknown(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(CheckReport) report =
        network_check_destination(world->fixture->host, world->facts, NULL);

    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        if (g_str_has_prefix(result->kind->id, "network."))
            g_assert_cmpint(result->outcome, ==, CHECK_UNKNOWN);
    }
    g_assert_nonnull(check_report_find(report, "network.functions-free", NULL));
}

static void
test_source_tells_what_the_destination_asks(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(GError) error = NULL;

    have_guest(world);
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
test_hypervisor_that_fails_is_unknown(void)
{
    g_autoptr(World) world = world_new();

    have_arrival(world);
    for (unsigned group = 0; group < 2; group++) /* so many ask */
        fake_hypervisor_fail(world->fixture->hypervisor, "list_guests", 1,
                             FAULT_HYPERVISOR_UNAVAILABLE);
    g_autoptr(CheckReport) report =
        network_check_destination(world->fixture->host, world->facts, NULL);
    g_assert_cmpint(check_case_outcome(report, "network.functions-free"), ==, CHECK_UNKNOWN);
    g_assert_cmpint(check_case_outcome(report, "network.mac-unused"), ==, CHECK_UNKNOWN);
}

static void
test_nothing_is_changed(void)
{
    static const char *const reading[] = { "get_guest", "list_guests", "list_networks",
                                           "agent_command" };
    g_autoptr(World) world = world_new();

    have_guest(world);
    have_arrival(world);
    g_autoptr(CheckReport) source = network_check_source(world->fixture->host, "web1");
    g_autoptr(CheckReport) there =
        network_check_destination(world->fixture->host, world->facts, NULL);
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

static void
test_odd_facts_are_refused(void)
{
    static const char *const facts[] = {
        "{\"networks\":[\"\"]}", "{\"bridges\":[\"../x\"]}", "{\"bridges\":[\"a b\"]}",
        "{\"macAddresses\":[\"a\"]}",
        "{\"vnics\":[{\"alias\":\"a\",\"function\":\"../..\",\"form\":\"hostdev\"}]}"
    };
    g_autoptr(World) world = world_new();

    for (gsize i = 0; i < G_N_ELEMENTS(facts); i++) {
        json_auto_t *odd = json_loads(facts[i], 0, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(network_check_destination(world->fixture->host, odd, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_suite_add(&suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/network-check/no-guest", test_unknown_guest_is_left_to_those_who_know);
    g_test_add_func("/network-check/team", test_team_is_not_judged_as_a_bond);
    g_test_add_func("/network-check/no-functions", test_guest_without_functions_needs_none_there);
    g_test_add_func("/network-check/silent-agent", test_silent_agent_leaves_bonds_unknown);
    g_test_add_func("/network-check/networks-bridge",
                    test_networks_are_judged_by_the_bridge_that_they_have_here);
    g_test_add_func("/network-check/left-mac", test_mac_that_was_left_on_a_function_is_told);
    g_test_add_func("/network-check/nothing-told", test_what_the_source_did_not_tell_is_unknown);
    g_test_add_func("/network-check/told", test_source_tells_what_the_destination_asks);
    g_test_add_func("/network-check/hypervisor-fails", test_hypervisor_that_fails_is_unknown);
    g_test_add_func("/network-check/no-change", test_nothing_is_changed);
    g_test_add_func("/network-check/odd-facts", test_odd_facts_are_refused);
    return g_test_run();
}
