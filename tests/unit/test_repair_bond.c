/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repair gives a bond what it lacks, says so, and never changes its mode. */
#include <string.h>

#include "fake/fake_kernel.h"
#include "netprep/guest/bond.h"
#include "netprep/guest/verbs.h"

typedef struct {
    FakeKernel *fake;
    const Kernel *kernel;
    Failure failure;
} World;

static const Link *
find(const Links *links, const char *name)
{
    const Link *link = links_find_name(links, name);

    g_assert_nonnull(link);
    return link;
}

/* bond0 over ens3 (VirtIO) and, if @function, ens4. */
static void
setup(World *world, uint32_t mode, uint32_t fail_over_mac, gboolean ports, gboolean function)
{
    const uint32_t options[BOND_OPTION_COUNT] = { [BOND_OPTION_MODE] = mode,
                                                  [BOND_OPTION_FAIL_OVER_MAC] = fail_over_mac,
                                                  [BOND_OPTION_GRATUITOUS_ARP] = 1,
                                                  [BOND_OPTION_PRIMARY_RESELECT] = 2 };
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
    if (ports)
        g_assert_true(bond_enslave(world->kernel, find(&links, "bond0"), find(&links, "ens3"),
                                   &world->failure));
    if (ports && function)
        g_assert_true(bond_enslave(world->kernel, find(&links, "bond0"), find(&links, "ens4"),
                                   &world->failure));
    links_clear(&links);
}

static json_t *
repair(World *world)
{
    const Persist request = { .bond = "bond0", .choice = PERSISTENCE_NONE, .root = "/nonexistent" };

    return verb_repair(world->kernel, &request, &world->failure);
}

static void
assert_json(json_t *found, const char *wanted_text)
{
    json_auto_t *wanted = json_loads(wanted_text, JSON_DECODE_ANY, NULL);
    g_autofree char *text = json_dumps(found, 0);

    g_assert_nonnull(wanted);
    if (!json_equal(found, wanted))
        g_error("%s is not %s", text, wanted_text);
}

static void
test_sets_what_is_lacking(void)
{
    World world;

    setup(&world, BOND_MODE_BACKUP, BOND_FAIL_OVER_MAC_ACTIVE, TRUE, TRUE);
    json_auto_t *said = repair(&world);
    g_assert_cmpstr(world.failure.text, ==, "");
    assert_json(json_object_get(said, "changes"),
                "[{\"option\":\"monitorIntervalMilliseconds\",\"from\":0,\"to\":100},"
                "{\"option\":\"upDelayMilliseconds\",\"from\":0,\"to\":200},"
                "{\"option\":\"gratuitousArp\",\"from\":1,\"to\":3},"
                "{\"option\":\"primaryReselect\",\"from\":\"failure\",\"to\":\"always\"},"
                "{\"option\":\"primary\",\"from\":null,\"to\":\"ens4\"}]");
    assert_json(json_object_get(said, "left"), "[]");
    json_t *bond = json_object_get(said, "bond");
    assert_json(json_object_get(bond, "upDelayMilliseconds"), "200");
    g_assert_cmpstr(json_string_value(json_object_get(bond, "primary")), ==, "ens4");

    json_auto_t *again = repair(&world);
    assert_json(json_object_get(again, "changes"), "[]");
    fake_kernel_free(world.fake);
}

static void
test_says_what_needs_a_bond_without_ports(void)
{
    World world;

    setup(&world, BOND_MODE_BACKUP, 2, TRUE, FALSE);
    json_auto_t *said = repair(&world);
    json_t *left = json_array_get(json_object_get(said, "left"), 0);
    g_assert_cmpstr(json_string_value(json_object_get(left, "option")), ==, "failOverMac");
    g_assert_cmpstr(json_string_value(json_object_get(left, "to")), ==, "none");
    g_assert_nonnull(strstr(json_string_value(json_object_get(left, "remedy")), "take the ports"));
    g_assert_cmpstr(
        json_string_value(json_object_get(json_object_get(said, "bond"), "failOverMac")), ==,
        "follow");
    fake_kernel_free(world.fake);
}

static void
test_sets_all_of_a_bond_without_ports(void)
{
    World world;

    setup(&world, BOND_MODE_BACKUP, 2, FALSE, FALSE);
    json_auto_t *said = repair(&world);
    assert_json(json_object_get(said, "left"), "[]");
    g_assert_cmpstr(
        json_string_value(json_object_get(json_object_get(said, "bond"), "failOverMac")), ==,
        "none");
    fake_kernel_free(world.fake);
}

static void
test_never_changes_a_mode(void)
{
    World world;

    setup(&world, 0, 0, TRUE, TRUE);
    g_autofree char *before = fake_kernel_print(world.fake);
    g_assert_null(repair(&world));
    g_assert_nonnull(strstr(world.failure.text, "bond0 is a balance-rr bond"));
    g_assert_nonnull(strstr(world.failure.text, "make it an active-backup bond"));
    g_autofree char *after = fake_kernel_print(world.fake);
    g_assert_cmpstr(after, ==, before);
    fake_kernel_free(world.fake);
}

static void
test_tells_a_failure(void)
{
    World world;

    setup(&world, BOND_MODE_BACKUP, 0, TRUE, TRUE);
    fake_kernel_fail(world.fake, 3, -1, FALSE);
    g_assert_null(repair(&world));
    g_assert_cmpstr(world.failure.text, ==,
                    "upDelayMilliseconds of bond0 cannot be set to 200: Operation not permitted");
    fake_kernel_free(world.fake);
}

static void
test_keeps_what_is_better(void)
{
    const uint32_t good[BOND_OPTION_COUNT] = { [BOND_OPTION_MODE] = 1,
                                               [BOND_OPTION_MONITOR_INTERVAL] = 30,
                                               [BOND_OPTION_UP_DELAY] = 600,
                                               [BOND_OPTION_GRATUITOUS_ARP] = 5 };
    uint32_t slow[BOND_OPTION_COUNT] = { [BOND_OPTION_MONITOR_INTERVAL] = 30 };

    for (BondOption option = 0; option < BOND_OPTION_COUNT; option++)
        g_assert_cmpuint(bond_option_recommend(option, good), ==, good[option]);
    /* The kernel rounds 200 down to 180. */
    g_assert_cmpuint(bond_option_recommend(BOND_OPTION_UP_DELAY, slow), ==, 210);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair/sets-what-is-lacking", test_sets_what_is_lacking);
    g_test_add_func("/repair/says-what-needs-a-bond-without-ports",
                    test_says_what_needs_a_bond_without_ports);
    g_test_add_func("/repair/sets-all-of-a-bond-without-ports",
                    test_sets_all_of_a_bond_without_ports);
    g_test_add_func("/repair/never-changes-a-mode", test_never_changes_a_mode);
    g_test_add_func("/repair/tells-a-failure", test_tells_a_failure);
    g_test_add_func("/repair/keeps-what-is-better", test_keeps_what_is_better);
    return g_test_run();
}
