/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has which VF, as read from sysfs, libvirt and the leases. */
#include <net/if.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/function_inventory.h"

#define CARDS     4
#define VFS       256
#define BUDGET_MS 250 /* per survey of CARDS x VFS, on a slow and busy machine */

static FunctionInventory *
read_sysfs(NetworkFixture *fixture, const char *addressed)
{
    g_autoptr(GHashTable) links = g_hash_table_new(g_str_hash, g_str_equal);

    if (addressed)
        g_hash_table_add(links, (void *)addressed);
    return function_inventory_read(fixture->sysfs, links);
}

static FunctionState
state_of(const FunctionInventory *inventory, const char *address)
{
    const Function *function = function_inventory_find(inventory, address);

    g_assert_nonnull(function);
    return function->state;
}

static void
test_lists_functions_with_their_place(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    const Function *function = function_inventory_find(inventory, FIXTURE_VF_2);

    g_assert_cmpuint(inventory->functions->len, ==, 4);
    g_assert_cmpstr(function->physical_function, ==, "npf0");
    g_assert_cmpuint(function->index, ==, 1);
    g_assert_cmpint(function->state, ==, FUNCTION_STATE_FREE);
    g_assert_null(function_inventory_find(inventory, "0000:02:10.0"));
    g_assert_null(function_inventory_find(inventory, NULL));
}

static void
test_idle_host_device_is_free(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "igbvf");
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, "nvf0", IFF_UP, NULL);
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    g_assert_cmpint(state_of(inventory, FIXTURE_VF), ==, FUNCTION_STATE_FREE);
}

static void
test_host_device_with_address_or_master_is_the_hosts(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "igbvf");
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, "nvf0", IFF_UP, NULL);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF_2, "igbvf");
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF_2, "nvf1", 0, "br0");
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, "nvf0");
    g_assert_cmpint(state_of(inventory, FIXTURE_VF), ==, FUNCTION_STATE_HOST);
    g_assert_cmpint(state_of(inventory, FIXTURE_VF_2), ==, FUNCTION_STATE_HOST);
}

static void
test_vfio_without_guest_and_hidden_devices_are_foreign(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF_2, "igbvf"); /* its device is in another namespace */
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    g_assert_cmpint(state_of(inventory, FIXTURE_VF), ==, FUNCTION_STATE_FOREIGN);
    g_assert_cmpint(state_of(inventory, FIXTURE_VF_2), ==, FUNCTION_STATE_FOREIGN);
}

static void
test_running_guest_has_its_function_whatever_the_leases_say(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    network_fixture_add_guest(fixture, GUEST_STATE_PAUSED, TRUE);
    g_autoptr(FunctionInventory) inventory =
        function_inventory_survey_with_leases(fixture->host, &error);
    g_assert_no_error(error);
    g_assert_cmpint(state_of(inventory, FIXTURE_VF), ==, FUNCTION_STATE_GUEST);
    g_assert_cmpstr(function_inventory_find(inventory, FIXTURE_VF)->holder, ==, "guest 'web1'");
}

static void
test_shut_off_guest_is_named_but_does_not_hold(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF, TRUE);
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(fixture->host, &error);
    g_assert_no_error(error);
    const Function *function = function_inventory_find(inventory, FIXTURE_VF);
    g_assert_cmpint(function->state, ==, FUNCTION_STATE_FREE);
    g_assert_cmpstr(function->holder, ==, "guest 'web1' (shut off)");
}

static void
test_silent_libvirt_is_an_error_not_an_empty_host(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_fail(fixture->hypervisor, "list_guests", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_null(function_inventory_survey(fixture->host, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
}

static void
add_large_card(const char *root, unsigned card)
{
    g_autofree char *name = g_strdup_printf("big%u", card);
    g_autofree char *address = g_strdup_printf("0000:%02x:00.0", 16 + card);
    g_autoptr(GStrvBuilder) functions = g_strv_builder_new();

    for (unsigned i = 0; i < VFS; i++) {
        g_autofree char *vf = g_strdup_printf("0000:%02x:%02x.%x", 32 + card, i / 8, i % 8);
        g_strv_builder_add(functions, vf);
    }
    g_auto(GStrv) list = g_strv_builder_end(functions);
    fake_sysfs_add_card(root, name, address, (const char *const *)list);
    for (unsigned i = 0; i < VFS; i++) {
        g_autofree char *link = g_strdup_printf("v%u-%u", card, i);
        fake_sysfs_bind(root, list[i], "igbvf");
        fake_sysfs_add_link(root, list[i], link, IFF_UP, NULL);
    }
}

static void
test_a_thousand_functions_are_read_quickly(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    for (unsigned card = 0; card < CARDS; card++)
        add_large_card(fixture->sysfs, card);
    gint64 start = g_get_monotonic_time();
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    gint64 elapsed_ms = (g_get_monotonic_time() - start) / 1000;
    g_assert_cmpuint(inventory->functions->len, ==, CARDS * VFS + 4);
    g_test_message("%u functions in %d ms", inventory->functions->len, (int)elapsed_ms);
    g_assert_cmpint(elapsed_ms, <, BUDGET_MS * network_fixture_slowness());
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/function-inventory/lists-functions-with-their-place",
                    test_lists_functions_with_their_place);
    g_test_add_func("/function-inventory/idle-host-device-is-free", test_idle_host_device_is_free);
    g_test_add_func("/function-inventory/host-device-with-address-or-master-is-the-hosts",
                    test_host_device_with_address_or_master_is_the_hosts);
    g_test_add_func("/function-inventory/vfio-without-guest-and-hidden-devices-are-foreign",
                    test_vfio_without_guest_and_hidden_devices_are_foreign);
    g_test_add_func("/function-inventory/running-guest-has-its-function",
                    test_running_guest_has_its_function_whatever_the_leases_say);
    g_test_add_func("/function-inventory/shut-off-guest-is-named-but-does-not-hold",
                    test_shut_off_guest_is_named_but_does_not_hold);
    g_test_add_func("/function-inventory/silent-libvirt-is-an-error",
                    test_silent_libvirt_is_an_error_not_an_empty_host);
    g_test_add_func("/function-inventory/a-thousand-functions-are-read-quickly",
                    test_a_thousand_functions_are_read_quickly);
    return g_test_run();
}
