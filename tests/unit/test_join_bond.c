/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* join takes a device into a bond, and asks nothing of the kernel that it cannot grant yet. */
#include <errno.h>
#include <string.h>

#include "fake/fake_kernel.h"
#include "netprep/guest/bond.h"
#include "netprep/guest/verbs.h"

#define FUNCTION_PATH "02.3/00.0"

typedef struct {
    FakeKernel *fake;
    const Kernel *kernel;
    Failure failure;
} World;

/* bond0 over ens3 (VirtIO), in use; ens4 is a function beside it, down as a new device is. */
static void
setup(World *world)
{
    const uint32_t options[BOND_OPTION_COUNT] = {
        [BOND_OPTION_MODE] = BOND_MODE_BACKUP, [BOND_OPTION_PRIMARY_RESELECT] = 2
    };
    const BondSettings settings = { .mac = (const uint8_t *)"RT\0\252\0\1",
                                    .mtu = 1500,
                                    .options = options };
    Links links = { 0 };
    bool existed;

    *world = (World) { .fake = fake_kernel_new() };
    world->kernel = fake_kernel_get(world->fake);
    fake_kernel_add_nic(world->fake, "ens3", "52:54:00:aa:00:01", "virtio_net",
                        "0000:00:02.2/0000:01:00.0");
    fake_kernel_add_nic(world->fake, "ens4", "02:00:00:00:00:01", "igbvf",
                        "0000:00:02.3/0000:02:00.0");
    g_assert_true(bond_create(world->kernel, "bond0", &settings, &existed, &world->failure));
    g_assert_true(links_read(world->kernel, &links, &world->failure));
    g_assert_true(bond_enslave(world->kernel, links_find_name(&links, "bond0"),
                               links_find_name(&links, "ens3"), &world->failure));
    links_clear(&links);
}

static void
teardown(World *world)
{
    fake_kernel_free(world->fake);
}

static const char *
active_port(const json_t *bond)
{
    return json_string_value(json_object_get(bond, "active"));
}

static void
test_device_becomes_the_used_port(void)
{
    World world;

    setup(&world);
    json_t *bond = verb_join(world.kernel, "bond0", FUNCTION_PATH, 30, &world.failure);
    g_assert_cmpstr(world.failure.text, ==, "");
    g_assert_cmpstr(active_port(bond), ==, "ens4");
    json_decref(bond);
    teardown(&world);
}

/* Each refusal is two lines in the log of the guest's kernel, and a turn of the lock that the
 * bond's poll needs, whereupon it sees the link later still. */
static void
test_bond_is_not_told_to_use_what_it_has_not_seen(void)
{
    World world;

    setup(&world);
    json_t *bond = verb_join(world.kernel, "bond0", FUNCTION_PATH, 30, &world.failure);
    g_assert_nonnull(bond);
    g_assert_cmpuint(fake_kernel_refusals(world.fake), ==, 0);
    json_decref(bond);
    teardown(&world);
}

static void
test_absent_device_fails_and_says_where(void)
{
    World world;

    setup(&world);
    g_assert_null(verb_join(world.kernel, "bond0", "05.0/00.0", 0, &world.failure));
    g_assert_nonnull(strstr(world.failure.text, "no network device appeared at PCI path 05.0"));
    teardown(&world);
}

/* Whether the function is a port of the bond, as the kernel has it. */
static gboolean
is_port(const World *world)
{
    Links links = { 0 };
    Failure failure = { 0 };

    g_assert_true(links_read(world->kernel, &links, &failure));
    gboolean taken = links_find_name(&links, "ens4")->master != 0;
    links_clear(&links);
    return taken;
}

/* Else its NIC would keep the bond's MAC from the port that carries the traffic. */
static void
test_device_that_is_not_used_in_time_is_taken_out_again(void)
{
    World world;

    setup(&world);
    g_assert_null(verb_join(world.kernel, "bond0", FUNCTION_PATH, 0, &world.failure));
    g_assert_nonnull(strstr(world.failure.text, "has no carrier or is not used"));
    g_assert_false(is_port(&world));
    teardown(&world);
}

static void
test_each_failure_is_told_and_leaves_the_device_out(void)
{
    for (int lost = 0; lost <= 1; lost++) {
        gboolean struck = TRUE;

        for (unsigned call = 1; struck; call++) {
            World world;

            setup(&world);
            unsigned before = fake_kernel_calls(world.fake);
            fake_kernel_fail(world.fake, call, -ENOMEM, lost);
            json_t *bond = verb_join(world.kernel, "bond0", FUNCTION_PATH, 30, &world.failure);
            struck = fake_kernel_calls(world.fake) - before >= call;
            fake_kernel_fail(world.fake, 0, 0, FALSE); /* no more */
            g_test_message("call %u, answer lost: %d: %s", call, lost, world.failure.text);
            g_assert_true((bond != NULL) == is_port(&world));
            g_assert_true((bond != NULL) == g_str_equal(world.failure.text, ""));
            json_decref(bond);
            teardown(&world);
        }
    }
}

static void
test_only_an_active_backup_bond_is_joined(void)
{
    World world;

    setup(&world);
    fake_kernel_add_bond(world.fake, "bond1", "52:54:00:aa:00:09");
    g_assert_null(verb_join(world.kernel, "bond1", FUNCTION_PATH, 30, &world.failure));
    g_assert_cmpstr(world.failure.text, ==, "bond1 is not an active-backup bond");
    g_assert_false(is_port(&world));
    teardown(&world);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/join/device-becomes-the-used-port", test_device_becomes_the_used_port);
    g_test_add_func("/join/bond-is-not-told-to-use-what-it-has-not-seen",
                    test_bond_is_not_told_to_use_what_it_has_not_seen);
    g_test_add_func("/join/absent-device-fails-and-says-where",
                    test_absent_device_fails_and_says_where);
    g_test_add_func("/join/device-that-is-not-used-in-time-is-taken-out-again",
                    test_device_that_is_not_used_in_time_is_taken_out_again);
    g_test_add_func("/join/each-failure-is-told-and-leaves-the-device-out",
                    test_each_failure_is_told_and_leaves_the_device_out);
    g_test_add_func("/join/only-an-active-backup-bond", test_only_an_active_backup_bond_is_joined);
    return g_test_run();
}
