/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netprepd's checks of a host that a guest is to come to: each where it holds and where it is
 * broken.
 */
#include <string.h>

#include "fake/checked_network.h"
#include "fake/fake_sysfs.h"
#include "netprep/check_service.h"

#define OTHER "11111111-2222-3333-4444-555555555555"

static void
need_other_network(void *data)
{
    json_object_set_new(((CheckedNetwork *)data)->facts, "networks",
                        json_pack("[s, s]", "blue", "red"));
}

static void
take_bridge_down(void *data)
{
    fake_sysfs_set_link(((CheckedNetwork *)data)->fixture->sysfs, "br0", "flags", "0x0\n");
}

static void
cut_port_off(void *data)
{
    fake_sysfs_set_link(((CheckedNetwork *)data)->fixture->sysfs, "npf0", "carrier", "0\n");
}

static void
forget_trust(void *data)
{
    const CheckedNetwork *world = data;

    fake_function_control_settings(world->fixture->control, 0)->unreported =
        FUNCTION_OPTION_BIT(FUNCTION_OPTION_TRUST);
}

static void
change_link(void *data, const char *list, const char *member, json_t *value)
{
    json_object_set_new(json_array_get(json_object_get(((CheckedNetwork *)data)->facts, list), 0),
                        member, value);
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
    fake_sysfs_set_link(((CheckedNetwork *)data)->fixture->sysfs, "npf0", "phys_switch_id",
                        "0a0b0c\n");
}

static void
come_from_other_firmware(void *data)
{
    change_link(data, "cards", "firmware", json_string("22.31.1014 (MT_0000000359)"));
}

static void
need_other_device(void *data)
{
    json_object_set_new(((CheckedNetwork *)data)->facts, "devices", json_pack("[s]", "eth7"));
}

static void
need_other_socket(void *data)
{
    json_object_set_new(((CheckedNetwork *)data)->facts, "sockets",
                        json_pack("[s]", "/run/openvswitch/vhost1"));
}

static void
be_bound_to_other_node(void *data)
{
    json_object_set_new(((CheckedNetwork *)data)->facts, "memoryNodes", json_string("0"));
}

static void
slow_port_down(void *data)
{
    fake_sysfs_set_link(((CheckedNetwork *)data)->fixture->sysfs, "npf0", "speed", "100\n");
}

static void
run_namesake(void *data)
{
    fake_hypervisor_add_guest(
        ((CheckedNetwork *)data)->fixture->hypervisor,
        "<domain type='kvm' id='2'><name>db1</name><uuid>" OTHER "</uuid><devices>"
        "<interface type='bridge'><mac address='52:54:00:AA:00:01'/></interface></devices>"
        "</domain>",
        GUEST_STATE_RUNNING, TRUE);
}

static const CheckCase cases[] = {
    { "network.bridges-alike", CHECK_WARNING, lead_to_vlan, "VLAN none, on the guest's host to 100",
      checked_network_arrives },
    { "network.mtu-enough", CHECK_BLOCKER, want_jumbo_frames, "MTU 1500, on the guest's host 9000",
      checked_network_arrives },
    { "network.functions-same-card", CHECK_INFORMATION, come_from_other_card, "8086:10c9",
      checked_network_arrives },
    { "network.functions-firmware", CHECK_INFORMATION, come_from_other_firmware, "MT_0000000359",
      checked_network_arrives },
    { "network.functions-rates", CHECK_WARNING, slow_port_down,
      "limited to 1000 Mbit/s, and npf0 here has 100", checked_network_arrives },
    { "network.functions-near", CHECK_INFORMATION, be_bound_to_other_node,
      "0 VFs are free at memory node 0", checked_network_arrives },
    { "network.devices-there", CHECK_BLOCKER, need_other_device, "not there",
      checked_network_arrives },
    { "network.sockets-there", CHECK_BLOCKER, need_other_socket, "vhost-user",
      checked_network_arrives },
    { "network.switch-mode-same", CHECK_WARNING, switch_otherwise, "switchdev",
      checked_network_arrives },
    { "network.mac-unused", CHECK_BLOCKER, run_namesake, "guest 'db1' has it",
      checked_network_arrives },
    { "network.networks-there", CHECK_BLOCKER, need_other_network, "not active",
      checked_network_arrives },
    { "network.bridges-there", CHECK_BLOCKER, take_bridge_down, "is down",
      checked_network_arrives },
    { "network.functions-free", CHECK_BLOCKER, cut_port_off, "0 of its 4 VFs",
      checked_network_arrives },
    { "network.functions-settings-supported", CHECK_WARNING, forget_trust, "trust",
      checked_network_arrives },
};

static void
test_guest_without_functions_needs_none_there(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();
    json_auto_t *facts =
        json_pack("{s:[], s:[], s:[s], s:[], s:[], s:[], s:[], s:[]}", "macAddresses", "networks",
                  "bridges", "br0", "vnics", "links", "cards", "devices", "sockets");
    g_autoptr(CheckReport) report = network_check_destination(world->fixture->host, facts, NULL);

    g_assert_cmpuint(report->results->len, ==, 1);
    g_assert_cmpstr(((CheckResult *)report->results->pdata[0])->kind->id, ==,
                    "network.bridges-there");
}

/* A network is the same by its name; its bridge may be called otherwise here. */
static void
test_networks_are_judged_by_the_bridge_that_they_have_here(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_arrives(world);
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

/* Whether a driver knows limits shows only when one is set, which a check does not. */
static void
test_limit_with_another_driver_is_unknown(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_arrives(world);
    change_link(world, "cards", "driver", json_string("i40e"));
    g_autoptr(CheckReport) report =
        network_check_destination(world->fixture->host, world->facts, NULL);
    g_assert_cmpint(check_case_outcome(report, "network.functions-rates"), ==, CHECK_UNKNOWN);
}

/* A card sends frames to the first that has their address; who it is shut off for has none. */
static void
test_mac_that_was_left_on_a_function_is_told(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_arrives(world);
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
    g_autoptr(CheckedNetwork) world = checked_network_new();
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
test_hypervisor_that_fails_is_unknown(void)
{
    g_autoptr(CheckedNetwork) world = checked_network_new();

    checked_network_arrives(world);
    for (unsigned group = 0; group < 2; group++) /* so many ask */
        fake_hypervisor_fail(world->fixture->hypervisor, "list_guests", 1,
                             FAULT_HYPERVISOR_UNAVAILABLE);
    g_autoptr(CheckReport) report =
        network_check_destination(world->fixture->host, world->facts, NULL);
    g_assert_cmpint(check_case_outcome(report, "network.functions-free"), ==, CHECK_UNKNOWN);
    g_assert_cmpint(check_case_outcome(report, "network.mac-unused"), ==, CHECK_UNKNOWN);
}

static void
test_odd_facts_are_refused(void)
{
    static const char *const facts[] = {
        "{\"networks\":[\"\"]}",
        "{\"bridges\":[\"../x\"]}",
        "{\"bridges\":[\"a b\"]}",
        "{\"macAddresses\":[\"a\"]}",
        "{\"sockets\":[\"a\"]}",
        "{\"devices\":[\"a b\"]}",
        "{\"memoryNodes\":\"\"}",
        "{\"vnics\":[{\"alias\":\"a\",\"function\":\"../..\",\"form\":\"hostdev\"}]}"
    };
    g_autoptr(CheckedNetwork) world = checked_network_new();

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
    check_suite_add(&checked_network_suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/arrival-check/no-functions", test_guest_without_functions_needs_none_there);
    g_test_add_func("/arrival-check/networks-bridge",
                    test_networks_are_judged_by_the_bridge_that_they_have_here);
    g_test_add_func("/arrival-check/other-driver", test_limit_with_another_driver_is_unknown);
    g_test_add_func("/arrival-check/left-mac", test_mac_that_was_left_on_a_function_is_told);
    g_test_add_func("/arrival-check/nothing-told", test_what_the_source_did_not_tell_is_unknown);
    g_test_add_func("/arrival-check/hypervisor-fails", test_hypervisor_that_fails_is_unknown);
    g_test_add_func("/arrival-check/odd-facts", test_odd_facts_are_refused);
    return g_test_run();
}
