/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has which VF, as read from sysfs, libvirt and the leases. */
#include <net/if.h>
#include <string.h>
#include <sys/resource.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/function_inventory.h"

#define CARDS 4
#define VFS   256

static FunctionInventory *
read_sysfs(NetworkFixture *fixture, const char *addressed)
{
    g_autoptr(GHashTable) links = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GError) error = NULL;

    if (addressed)
        g_hash_table_add(links, (void *)addressed);
    FunctionInventory *inventory = function_inventory_read(fixture->sysfs, links, &error);
    g_assert_no_error(error);
    return inventory;
}

static const Function *
find(const FunctionInventory *inventory, const char *address)
{
    const Function *function = function_inventory_find(inventory, address);

    g_assert_nonnull(function);
    return function;
}

static void
assert_function(NetworkFixture *fixture, FunctionState state, const char *reason)
{
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, "addressed0");
    const Function *function = find(inventory, FIXTURE_VF);

    g_assert_cmpstr(function->reason, ==, reason);
    g_assert_cmpint(function->state, ==, state);
}

/* FIXTURE_VF with its host driver and network device @name. */
static NetworkFixture *
fixture_with_link(const char *name)
{
    NetworkFixture *fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "igbvf");
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, name, IFF_UP, NULL);
    return fixture;
}

static void
test_lists_functions_with_their_place(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_set_group(fixture->sysfs, FIXTURE_VF_2, 12);
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    const Function *function = find(inventory, FIXTURE_VF_2);
    g_assert_cmpuint(inventory->functions->len, ==, 4);
    g_assert_cmpstr(function->physical_function, ==, "npf0");
    g_assert_cmpuint(function->index, ==, 1);
    g_assert_cmpint(function->iommu_group, ==, 12);
    g_assert_cmpint(function->port->numa_node, ==, 1);
    g_assert_cmpint(function->state, ==, FUNCTION_STATE_FREE);
    g_assert_null(function->reason);
    g_assert_null(function_inventory_find(inventory, "0000:02:10.0"));
    g_assert_null(function_inventory_find(inventory, NULL));
}

static void
test_ports_are_found_by_every_name_they_have(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_link("nvf0");
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    static const char *const names[] = { "npf0", "0000:01:00.0", "nvf0", FIXTURE_VF_2 };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const PhysicalFunction *port = function_inventory_find_port(inventory, names[i]);
        g_assert_nonnull(port);
        g_assert_cmpstr(port->name, ==, "npf0");
    }
    g_assert_null(function_inventory_find_port(inventory, "lo"));
}

static void
test_idle_host_device_is_free(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_link("nvf0");

    assert_function(fixture, FUNCTION_STATE_FREE, NULL);
}

static void
test_device_with_address_is_the_hosts_if_it_is_up(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_link("addressed0");

    assert_function(fixture, FUNCTION_STATE_HOST,
                    "network device addressed0 has an address of this host");
    fake_sysfs_set_link(fixture->sysfs, "addressed0", "flags", "0x1002\n");
    assert_function(fixture, FUNCTION_STATE_FREE, NULL);
}

static void
test_device_below_another_is_the_hosts(void)
{
    static const struct {
        const char *upper, *kind, *reason;
    } cases[] = {
        { "br0", "bridge", "network device eth3 is a port of bridge br0" },
        { "bond1", "bond", "network device eth3 is a port of bond bond1" },
        { "eth3.100", "vlan", "network device eth3 carries VLAN eth3.100" },
        { "macvtap0", "macvtap", "network device eth3 carries macvtap macvtap0" },
        { "team0", "team", "network device eth3 carries network device team0" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NetworkFixture) fixture = fixture_with_link("eth3");

        fake_sysfs_add_virtual(fixture->sysfs, cases[i].upper, cases[i].kind, "eth3");
        assert_function(fixture, FUNCTION_STATE_HOST, cases[i].reason);
    }
}

static void
test_any_of_several_devices_makes_it_the_hosts(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_link("eth3");

    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, "eth4", IFF_UP, NULL);
    fake_sysfs_add_virtual(fixture->sysfs, "br0", "bridge", "eth4");
    assert_function(fixture, FUNCTION_STATE_HOST, "network device eth4 is a port of bridge br0");
}

static void
test_vfio_without_guest_is_foreign(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    assert_function(fixture, FUNCTION_STATE_FOREIGN,
                    "is bound to vfio-pci, but no guest of libvirt has it");
}

static void
test_device_in_another_namespace_is_foreign(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_link("eth3");

    fake_sysfs_hide_link(fixture->sysfs, "eth3");
    assert_function(fixture, FUNCTION_STATE_FOREIGN,
                    "is bound to igbvf, but its network device is in another network namespace");
}

static void
test_shared_iommu_group_is_unfit(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_set_group(fixture->sysfs, FIXTURE_VF, 12);
    fake_sysfs_add_device(fixture->sysfs, "0000:01:1c.0", "0x060400\n", 12);
    assert_function(fixture, FUNCTION_STATE_FREE, NULL); /* the other one is a bridge */
    fake_sysfs_set_group(fixture->sysfs, FIXTURE_VF_2, 12);
    assert_function(fixture, FUNCTION_STATE_UNFIT, "IOMMU group 12 is shared with " FIXTURE_VF_2);
}

static void
test_function_without_iommu_group_is_unfit(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_set_group(fixture->sysfs, FIXTURE_VF, -1);
    assert_function(fixture, FUNCTION_STATE_UNFIT,
                    "has no IOMMU group: the IOMMU of this host is off");
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
    g_assert_cmpint(find(inventory, FIXTURE_VF)->state, ==, FUNCTION_STATE_GUEST);
    g_assert_cmpstr(find(inventory, FIXTURE_VF)->holder, ==, "guest 'web1'");
    g_assert_cmpstr(find(inventory, FIXTURE_VF)->reason, ==, "is in use by guest 'web1'");
}

static void
test_shut_off_guest_is_named_but_does_not_hold(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF, TRUE);
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(fixture->host, &error);
    g_assert_no_error(error);
    g_assert_cmpint(find(inventory, FIXTURE_VF)->state, ==, FUNCTION_STATE_FREE);
    g_assert_cmpstr(find(inventory, FIXTURE_VF)->holder, ==, "guest 'web1' (shut off)");
}

static void
test_vfio_of_a_shut_off_guest_has_a_holder(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    network_fixture_add_guest(fixture, GUEST_STATE_SHUT_OFF, TRUE);
    g_autoptr(FunctionInventory) inventory = function_inventory_survey(fixture->host, NULL);
    g_assert_cmpint(find(inventory, FIXTURE_VF)->state, ==, FUNCTION_STATE_FOREIGN);
    g_assert_cmpstr(find(inventory, FIXTURE_VF)->holder, ==, "guest 'web1' (shut off)");
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

/* The descriptors run out at the directory, at a list in it, at a file in that. */
static void
test_unreadable_sysfs_is_an_error_not_an_empty_host(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    struct rlimit all = { 0 };
    int next = dup(STDIN_FILENO);

    close(next);
    getrlimit(RLIMIT_NOFILE, &all);
    for (int spare = 0; spare < 4; spare++) {
        struct rlimit few = { (rlim_t)(next + spare), all.rlim_max };
        g_autoptr(GError) error = NULL;

        setrlimit(RLIMIT_NOFILE, &few);
        g_autoptr(FunctionInventory) inventory =
            function_inventory_read(fixture->sysfs, NULL, &error);
        setrlimit(RLIMIT_NOFILE, &all);
        if (inventory) {
            g_assert_cmpuint(inventory->functions->len, ==, 4);
            continue;
        }
        g_assert_cmpint(spare, <, 3);
        g_assert_error(error, FAULT, FAULT_INTERNAL);
        g_assert_nonnull(strstr(error->message, fixture->sysfs));
    }
}

static void
test_functions_that_vanish_while_reading_are_left_out(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    fake_sysfs_drop_function(fixture->sysfs, "0000:01:00.0", 3);
    fake_sysfs_drop_function(fixture->sysfs, "0000:01:00.0", 2);
    g_autoptr(FunctionInventory) fewer = read_sysfs(fixture, NULL);
    g_assert_cmpuint(fewer->functions->len, ==, 2);
    g_assert_nonnull(function_inventory_find(fewer, FIXTURE_VF_2));
    fake_sysfs_set_device(fixture->sysfs, "0000:01:00.0", "sriov_numvfs", NULL);
    g_autoptr(FunctionInventory) none = read_sysfs(fixture, NULL);
    g_assert_cmpuint(none->functions->len, ==, 0);
}

typedef struct {
    const char *sysfs;
    int turns;
} Shrinker;

/* What `echo 2 > sriov_numvfs` and back does, over and over; the count is always too large. */
static void *
shrink_and_grow(void *data)
{
    const Shrinker *shrinker = data;

    for (int turn = 0; turn < shrinker->turns; turn++) {
        for (unsigned i = 3; i >= 2; i--)
            fake_sysfs_drop_function(shrinker->sysfs, "0000:01:00.0", i);
        for (unsigned i = 2; i <= 3; i++)
            fake_sysfs_put_function(shrinker->sysfs, "0000:01:00.0", i,
                                    i == 2 ? "0000:01:10.4" : "0000:01:10.6");
    }
    return NULL;
}

static void
test_reading_while_functions_come_and_go(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    Shrinker shrinker = { fixture->sysfs, 200 };
    GThread *thread = g_thread_new("shrinker", shrink_and_grow, &shrinker);

    for (int i = 0; i < 200; i++) {
        g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
        g_assert_cmpuint(inventory->functions->len, >=, 2);
        g_assert_cmpuint(inventory->functions->len, <=, 4);
        g_assert_cmpint(find(inventory, FIXTURE_VF_2)->state, ==, FUNCTION_STATE_FREE);
    }
    g_thread_join(thread);
}

static void
test_a_thousand_functions_on_four_cards_and_on_one(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    for (unsigned card = 0; card < CARDS; card++) {
        g_autofree char *name = g_strdup_printf("big%u", card);
        fake_sysfs_add_large_card(fixture->sysfs, name, 16 + 2 * card, VFS);
    }
    fake_sysfs_add_large_card(fixture->sysfs, "huge", 64, CARDS * VFS);
    g_autoptr(FunctionInventory) inventory = read_sysfs(fixture, NULL);
    g_assert_cmpuint(inventory->functions->len, ==, 4 + 2 * CARDS * VFS);
    for (guint i = 0; i < inventory->functions->len; i++)
        g_assert_cmpint(((Function *)inventory->functions->pdata[i])->state, ==,
                        FUNCTION_STATE_FREE);
    const Function *last = find(inventory, "0000:44:1f.7");
    g_assert_cmpuint(last->index, ==, CARDS * VFS - 1);
    g_assert_cmpstr(last->physical_function, ==, "huge");
}

#define ADD(name, function) g_test_add_func("/function-inventory/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("lists-functions-with-their-place", test_lists_functions_with_their_place);
    ADD("ports-by-every-name", test_ports_are_found_by_every_name_they_have);
    ADD("idle-host-device-is-free", test_idle_host_device_is_free);
    ADD("device-with-address", test_device_with_address_is_the_hosts_if_it_is_up);
    ADD("device-below-another", test_device_below_another_is_the_hosts);
    ADD("any-of-several-devices", test_any_of_several_devices_makes_it_the_hosts);
    ADD("vfio-without-guest", test_vfio_without_guest_is_foreign);
    ADD("another-namespace", test_device_in_another_namespace_is_foreign);
    ADD("shared-iommu-group", test_shared_iommu_group_is_unfit);
    ADD("no-iommu-group", test_function_without_iommu_group_is_unfit);
    ADD("running-guest-has-its-function",
        test_running_guest_has_its_function_whatever_the_leases_say);
    ADD("shut-off-guest-is-named", test_shut_off_guest_is_named_but_does_not_hold);
    ADD("vfio-of-a-shut-off-guest", test_vfio_of_a_shut_off_guest_has_a_holder);
    ADD("silent-libvirt-is-an-error", test_silent_libvirt_is_an_error_not_an_empty_host);
    ADD("unreadable-sysfs-is-an-error", test_unreadable_sysfs_is_an_error_not_an_empty_host);
    ADD("vanishing-functions", test_functions_that_vanish_while_reading_are_left_out);
    ADD("coming-and-going-functions", test_reading_while_functions_come_and_go);
    ADD("a-thousand-functions", test_a_thousand_functions_on_four_cards_and_on_one);
    return g_test_run();
}
