/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which PFs lead to which physical network. */
#include "fake/network_fixture.h"
#include "netprep/physical_network.h"

static void
test_libvirt_network_is_known_without_configuration(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(PhysicalNetworks) networks =
        physical_networks_read(fixture->host->hypervisor, &fixture->config, NULL);

    g_assert_true(physical_networks_contain(networks, "blue"));
    g_assert_true(physical_networks_lead(networks, "blue", "npf0"));
    g_assert_false(physical_networks_lead(networks, "blue", "npf1"));
    g_assert_false(physical_networks_lead(networks, "red", "npf0"));
}

static void
test_configuration_overrides_libvirt(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    const char *const functions[] = { "npf7", "npf8", NULL };
    g_autoptr(GHashTable) configured =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_strfreev);

    g_hash_table_insert(configured, "blue", g_strdupv((char **)functions));
    fixture->config.physical_networks = configured;
    g_autoptr(PhysicalNetworks) networks =
        physical_networks_read(fixture->host->hypervisor, &fixture->config, NULL);
    g_assert_false(physical_networks_lead(networks, "blue", "npf0"));
    g_assert_true(physical_networks_lead(networks, "blue", "npf8"));
}

static void
test_networks_of_a_function_are_sorted(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_hypervisor_add_network(fixture->hypervisor, "amber", "npf0");
    g_autoptr(PhysicalNetworks) networks =
        physical_networks_read(fixture->host->hypervisor, &fixture->config, NULL);
    g_auto(GStrv) names = physical_networks_of(networks, "npf0");
    const char *const expected[] = { "amber", "blue", NULL };
    g_assert_cmpstrv(names, expected);
}

static void
test_silent_libvirt_is_an_error(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_fail(fixture->hypervisor, "list_passthrough_networks", 1,
                         FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_null(physical_networks_read(fixture->host->hypervisor, &fixture->config, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/physical-network/libvirt-network-is-known-without-configuration",
                    test_libvirt_network_is_known_without_configuration);
    g_test_add_func("/physical-network/configuration-overrides-libvirt",
                    test_configuration_overrides_libvirt);
    g_test_add_func("/physical-network/networks-of-a-function-are-sorted",
                    test_networks_of_a_function_are_sorted);
    g_test_add_func("/physical-network/silent-libvirt-is-an-error",
                    test_silent_libvirt_is_an_error);
    return g_test_run();
}
