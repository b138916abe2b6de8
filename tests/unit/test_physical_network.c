/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which PFs lead to which physical network, and which bridge does. */
#include "common/hypervisor_network.h"
#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/physical_network.h"

typedef struct {
    NetworkFixture *fixture;
    FunctionInventory *inventory;
    PhysicalNetworks *networks;
} World;

static void
set_up(World *world, gconstpointer unused)
{
    world->fixture = network_fixture_new();
}

static void
tear_down(World *world, gconstpointer unused)
{
    physical_networks_free(world->networks);
    function_inventory_unref(world->inventory);
    network_fixture_free(world->fixture);
}

static const PhysicalNetworks *
look(World *world)
{
    g_autoptr(GError) error = NULL;

    world->inventory = function_inventory_survey(world->fixture->host, &error);
    g_assert_no_error(error);
    world->networks = physical_networks_read(world->fixture->host, world->inventory, &error);
    g_assert_no_error(error);
    return world->networks;
}

static void
add_second_card(World *world)
{
    static const char *const functions[] = { "0000:02:10.0", "0000:02:10.2", NULL };

    fake_sysfs_add_card(world->fixture->sysfs, "npf1", "0000:02:00.0", functions);
}

static void
test_libvirt_network_is_known_without_configuration(World *world, gconstpointer unused)
{
    const PhysicalNetworks *networks = look(world);

    g_assert_true(physical_networks_contain(networks, "blue"));
    g_assert_true(physical_networks_lead(networks, "blue", "npf0"));
    g_assert_false(physical_networks_lead(networks, "blue", "npf1"));
    g_assert_false(physical_networks_lead(networks, "red", "npf0"));
    g_assert_null(physical_networks_bridge(networks, "blue"));
    g_assert_null(physical_networks_bridge(networks, "red"));
}

static void
test_configuration_overrides_libvirt(World *world, gconstpointer unused)
{
    static const char *const functions[] = { "npf7", "0000:02:00.0", NULL };

    add_second_card(world);
    ConfigNetwork *blue = config_network(&world->fixture->config, "blue");
    blue->functions = g_strdupv((char **)functions);
    const PhysicalNetworks *networks = look(world);
    g_assert_false(physical_networks_lead(networks, "blue", "npf0"));
    g_assert_true(physical_networks_lead(networks, "blue", "npf1"));
}

static void
test_configuration_may_add_the_bridge_alone(World *world, gconstpointer unused)
{
    config_network(&world->fixture->config, "blue")->bridge = g_strdup("ovs0");
    const PhysicalNetworks *networks = look(world);
    g_assert_true(physical_networks_lead(networks, "blue", "npf0"));
    g_assert_cmpstr(physical_networks_bridge(networks, "blue"), ==, "ovs0");
}

static void
test_functions_of_a_network_name_their_card(World *world, gconstpointer unused)
{
    add_second_card(world);
    fake_sysfs_add_link(world->fixture->sysfs, "0000:02:10.0", "nvf7", 0, NULL);
    fake_hypervisor_add_network(world->fixture->hypervisor, "by-address", FIXTURE_VF_2);
    fake_hypervisor_add_network(world->fixture->hypervisor, "by-interface", "nvf7");
    const PhysicalNetworks *networks = look(world);
    g_assert_true(physical_networks_lead(networks, "by-address", "npf0"));
    g_assert_true(physical_networks_lead(networks, "by-interface", "npf1"));
    g_assert_false(physical_networks_lead(networks, "by-interface", "npf0"));
}

static void
test_bridge_leads_to_the_card_below_it(World *world, gconstpointer unused)
{
    const char *sysfs = world->fixture->sysfs;

    add_second_card(world);
    fake_sysfs_add_virtual(sysfs, "br0", "bridge", "npf0");
    fake_sysfs_add_virtual(sysfs, "bond0", "bond", "npf1");
    fake_sysfs_add_virtual(sysfs, "bond0.100", "vlan", "bond0");
    fake_sysfs_add_virtual(sysfs, "br1", "bridge", "bond0.100");
    fake_hypervisor_add_bridge(world->fixture->hypervisor, "lan", "br0");
    fake_hypervisor_add_bridge(world->fixture->hypervisor, "dmz", "br1");
    fake_hypervisor_add_bridge(world->fixture->hypervisor, "default", "virbr0");
    const PhysicalNetworks *networks = look(world);
    g_assert_true(physical_networks_lead(networks, "lan", "npf0"));
    g_assert_false(physical_networks_lead(networks, "lan", "npf1"));
    g_assert_true(physical_networks_lead(networks, "dmz", "npf1"));
    g_assert_false(physical_networks_contain(networks, "default"));
    g_assert_cmpstr(physical_networks_bridge(networks, "dmz"), ==, "br1");
    g_assert_cmpstr(physical_networks_bridge(networks, "blue"), ==, "br0");
}

static void
test_networks_of_a_card_come_best_first(World *world, gconstpointer unused)
{
    static const char *const functions[] = { "npf0", NULL };
    const char *const expected[] = { "zone", "amber", "blue", "alone", NULL };

    fake_sysfs_add_virtual(world->fixture->sysfs, "br0", "bridge", "npf0");
    fake_hypervisor_add_bridge(world->fixture->hypervisor, "alone", "br0");
    fake_hypervisor_add_network(world->fixture->hypervisor, "amber", "npf0");
    config_network(&world->fixture->config, "zone")->functions = g_strdupv((char **)functions);
    g_auto(GStrv) names = physical_networks_of(look(world), "npf0");
    g_assert_cmpstrv(names, expected);
}

static void
test_report_counts_functions_and_names_what_is_missing(World *world, gconstpointer unused)
{
    const char *name, *source, *bridge, *port, *missing;
    int total, functions, free_count, carrier, mtu;

    fake_hypervisor_add_network(world->fixture->hypervisor, "blue", "gone0");
    fake_sysfs_add_virtual(world->fixture->sysfs, "br0", "bridge", "npf0");
    fake_sysfs_set_link(world->fixture->sysfs, "npf0", "carrier", "0\n");
    fake_sysfs_bind(world->fixture->sysfs, FIXTURE_VF, "vfio-pci");
    const PhysicalNetworks *networks = look(world);
    json_auto_t *report = physical_networks_to_json(networks, world->inventory);
    g_assert_cmpint(
        json_unpack(report, "[{s:s, s:s, s:s, s:[{s:s, s:i, s:i, s:i, s:b, s:i}], s:[s]}]", "name",
                    &name, "source", &source, "bridge", &bridge, "physicalFunctions", "name", &port,
                    "totalFunctions", &total, "functions", &functions, "free", &free_count,
                    "carrier", &carrier, "mtu", &mtu, "missing", &missing),
        ==, 0);
    g_assert_cmpstr(name, ==, "blue");
    g_assert_cmpstr(source, ==, "libvirt");
    g_assert_cmpstr(bridge, ==, "br0");
    g_assert_cmpstr(port, ==, "npf0");
    g_assert_cmpstr(missing, ==, "gone0");
    g_assert_cmpint(total, ==, 256);
    g_assert_cmpint(functions, ==, 4);
    g_assert_cmpint(free_count, ==, 3);
    g_assert_cmpint(mtu, ==, 1500);
    g_assert_false(carrier);
}

static void
test_silent_libvirt_is_an_error(World *world, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    look(world);
    fake_hypervisor_fail(world->fixture->hypervisor, "list_networks", 1,
                         FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_null(physical_networks_read(world->fixture->host, world->inventory, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
}

static void
assert_functions(const char *forward, const char *const *expected)
{
    g_autofree char *xml =
        g_strdup_printf("<network><name>n</name>%s<bridge name='br0'/></network>", forward);
    g_autoptr(GError) error = NULL;
    g_autoptr(HypervisorNetwork) network = hypervisor_network_parse(xml, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(network->bridge, ==, "br0");
    if (expected)
        g_assert_cmpstrv(network->functions, expected);
    else
        g_assert_null(network->functions);
}

static void
test_xml_of_every_form_is_read(World *world, gconstpointer unused)
{
    static const char address[] =
        "<address type='pci' domain='0x0000' bus='0x02' slot='0x10' function='0x2'/>";
    const char *const cards[] = { "pf0", "pf1", NULL };
    const char *const devices[] = { "0000:02:10.2", "nvf1", NULL };
    g_autofree char *by_card = g_strdup_printf(
        "<forward mode='hostdev'><pf dev='pf0'/><pf dev='pf1'/>%s</forward>", address);
    g_autofree char *by_device = g_strdup_printf(
        "<forward mode='hostdev' managed='yes'><interface dev='nvf1'/>%s</forward>", address);
    g_autoptr(GError) error = NULL;

    assert_functions(by_card, cards);
    assert_functions(by_device, devices);
    assert_functions("<forward mode='bridge'/>", NULL);
    assert_functions("<forward mode='passthrough'><pf dev='pf0'/></forward>", NULL);
    assert_functions("", NULL);
    g_assert_null(hypervisor_network_parse("<network><forward/></network>", &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

#define ADD(name, function)                                                                        \
    g_test_add("/physical-network/" name, World, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("known-without-configuration", test_libvirt_network_is_known_without_configuration);
    ADD("configuration-overrides", test_configuration_overrides_libvirt);
    ADD("configured-bridge", test_configuration_may_add_the_bridge_alone);
    ADD("functions-name-their-card", test_functions_of_a_network_name_their_card);
    ADD("bridge-leads-to-the-card", test_bridge_leads_to_the_card_below_it);
    ADD("best-first", test_networks_of_a_card_come_best_first);
    ADD("report", test_report_counts_functions_and_names_what_is_missing);
    ADD("silent-libvirt", test_silent_libvirt_is_an_error);
    ADD("xml", test_xml_of_every_form_is_read);
    return g_test_run();
}
