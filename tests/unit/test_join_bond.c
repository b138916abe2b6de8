/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* join takes a device into a bond, and asks nothing of the kernel that it cannot grant yet. */
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/join/device-becomes-the-used-port", test_device_becomes_the_used_port);
    g_test_add_func("/join/bond-is-not-told-to-use-what-it-has-not-seen",
                    test_bond_is_not_told_to_use_what_it_has_not_seen);
    g_test_add_func("/join/absent-device-fails-and-says-where",
                    test_absent_device_fails_and_says_where);
    return g_test_run();
}
