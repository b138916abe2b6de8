/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lost VFs are found and told once. */
#include <string.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/leak_watch.h"

#define CARD "0000:01:00.0"

static const guint8 a_mac[] = { 0x52, 0x54, 0, 0xaa, 0, 1 };

static GPtrArray *
survey(NetworkFixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *leaks = leaks_survey(fixture->host, &error);

    g_assert_no_error(error);
    return leaks;
}

static void
assert_leak(NetworkFixture *fixture, LeakKind kind, const char *function, const char *named)
{
    g_autoptr(GPtrArray) leaks = survey(fixture);

    g_assert_cmpuint(leaks->len, ==, 1);
    const Leak *leak = leaks->pdata[0];
    g_assert_cmpint(leak->kind, ==, kind);
    g_assert_cmpstr(leak->function, ==, function);
    g_assert_nonnull(strstr(leak->detail, named));
    g_assert_cmpstr(leak->remedy, !=, "");
}

static void
assert_no_leak(NetworkFixture *fixture)
{
    g_autoptr(GPtrArray) leaks = survey(fixture);

    g_assert_cmpuint(leaks->len, ==, 0);
}

static void
hold(NetworkFixture *fixture, const char *address)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) draft = network_lease_draft(LEASE_RESERVATION, "tester", address, "web1",
                                                 FIXTURE_UUID, STATE_RESERVED, json_object());

    g_ptr_array_add(draft->assets, lease_asset_new(ASSET_FUNCTION, address, ASSET_RESERVED, NULL));
    g_autoptr(Lease) lease =
        lease_store_create(fixture->host->leases, draft, 60, FAULT_FUNCTION_BUSY, NULL, &error);
    g_assert_no_error(error);
}

static void
test_quiet_host_has_no_leak(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF_2, "vfio-pci");
    hold(fixture, FIXTURE_VF_2);
    assert_no_leak(fixture);
}

static void
test_function_that_nobody_known_holds(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    assert_leak(fixture, LEAK_UNKNOWN_HOLDER, FIXTURE_VF, "vfio-pci");
    network_fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF, TRUE); /* manages it itself */
    assert_no_leak(fixture);
}

static void
test_function_that_went_away_under_its_lease(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    hold(fixture, "0000:01:10.6");
    assert_no_leak(fixture);
    fake_sysfs_drop_function(fixture->sysfs, CARD, 3);
    assert_leak(fixture, LEAK_MISSING_FUNCTION, "0000:01:10.6", "guest 'web1'");
}

static void
test_function_of_a_lease_that_cannot_be_read(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GPtrArray) leaks = g_ptr_array_new_with_free_func((GDestroyNotify)leak_free);
    g_autoptr(GPtrArray) readable = g_ptr_array_new();
    g_autoptr(GHashTable) held = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(fixture->host, NULL);

    g_hash_table_insert(held, (void *)FIXTURE_VF, (void *)"some-lease");
    leaks_add_held(leaks, inventory, readable, held);
    g_assert_cmpuint(leaks->len, ==, 1);
    const Leak *leak = leaks->pdata[0];
    g_assert_cmpint(leak->kind, ==, LEAK_DAMAGED_LEASE);
    g_assert_nonnull(strstr(leak->detail, "some-lease"));
}

/* Only cards with a VF in use are asked; the same MAC in another VLAN is another address. */
static void
test_two_functions_with_one_mac(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    memcpy(fake_function_control_settings(fixture->control, 0)->mac, a_mac, sizeof(a_mac));
    memcpy(fake_function_control_settings(fixture->control, 1)->mac, a_mac, sizeof(a_mac));
    assert_no_leak(fixture);
    hold(fixture, FIXTURE_VF);
    assert_leak(fixture, LEAK_DUPLICATE_MAC, FIXTURE_VF_2, FIXTURE_VF);
    fake_function_control_settings(fixture->control, 1)->vlan = 7;
    assert_no_leak(fixture);
}

static void
test_leak_is_told_once_and_again_after_it_was_gone(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(LeakWatch) watch = leak_watch_new(fixture->host);

    for (int round = 0; round < 2; round++) {
        fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
        g_assert_cmpuint(leak_watch_look(watch), ==, 0); /* libvirt may be about to use it */
        g_assert_cmpuint(leak_watch_look(watch), ==, 1);
        g_assert_cmpuint(leak_watch_look(watch), ==, 0);
        fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, NULL);
        g_assert_cmpuint(leak_watch_look(watch), ==, 0);
    }
}

static void
test_silent_libvirt_tells_of_no_leak(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(LeakWatch) watch = leak_watch_new(fixture->host);

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    g_assert_cmpuint(leak_watch_look(watch), ==, 0);
    fake_hypervisor_fail(fixture->hypervisor, "list_guests", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_cmpuint(leak_watch_look(watch), ==, 0);
    g_assert_cmpuint(leak_watch_look(watch), ==, 1);
}

static void
test_watch_ends_when_asked(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(LeakWatch) watch = leak_watch_new(fixture->host);

    leak_watch_run(watch);
}

#define ADD(name, function) g_test_add_func("/leak/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("quiet-host", test_quiet_host_has_no_leak);
    ADD("unknown-holder", test_function_that_nobody_known_holds);
    ADD("missing-function", test_function_that_went_away_under_its_lease);
    ADD("damaged-lease", test_function_of_a_lease_that_cannot_be_read);
    ADD("duplicate-mac", test_two_functions_with_one_mac);
    ADD("told-once", test_leak_is_told_once_and_again_after_it_was_gone);
    ADD("silent-libvirt", test_silent_libvirt_tells_of_no_leak);
    ADD("watch-ends", test_watch_ends_when_asked);
    return g_test_run();
}
