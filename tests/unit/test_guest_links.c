/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What netprep-guest tells of devices besides their bonds: XDP programs, and whom the bonds reach.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "fake/fake_kernel.h"
#include "netprep/guest/neighbours.h"
#include "netprep/guest/verbs.h"

#define HEADER  "IP address       HW type     Flags       HW address            Mask     Device\n"
#define OF_BOND "10.99.0.254      0x1         0x2         52:54:00:00:00:01     *        bond0\n"
#define OF_NIC  "10.98.0.254      0x1         0x2         52:54:00:00:00:02     *        ens9\n"

typedef struct {
    FakeKernel *kernel;
    char *root;
    char *table;
} World;

static World
world_new(const char *text)
{
    World world = { fake_kernel_new(), g_dir_make_tmp("links-XXXXXX", NULL), NULL };
    g_autofree char *directory = g_build_filename(world.root, "proc", "net", NULL);

    fake_kernel_add_nic(world.kernel, "ens3", "52:54:00:aa:00:01", "virtio_net",
                        "0000:00:02.2/0000:01:00.0");
    fake_kernel_add_nic(world.kernel, "ens9", "52:54:00:aa:00:02", "igbvf",
                        "0000:00:02.3/0000:02:00.0");
    fake_kernel_add_bond(world.kernel, "bond0", "52:54:00:aa:00:01");
    world.table = g_build_filename(directory, "arp", NULL);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0700), ==, 0);
    g_assert_true(!text || g_file_set_contents(world.table, text, -1, NULL));
    return world;
}

static void
world_clear(World *world)
{
    static const char *const directories[] = { "proc/net", "proc", "" };

    g_remove(world->table);
    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
        g_autofree char *path = g_build_filename(world->root, directories[i], NULL);
        g_assert_cmpint(g_rmdir(path), ==, 0);
    }
    fake_kernel_free(world->kernel);
    g_free(world->table);
    g_free(world->root);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static json_t *
report(const World *world)
{
    Failure failure = { 0 };
    json_t *told = verb_report(fake_kernel_get(world->kernel), world->root, &failure);

    g_assert_cmpstr(failure.text, ==, "");
    return told;
}

static const json_t *
find(const json_t *told, const char *name)
{
    size_t i;
    json_t *interface;

    json_array_foreach (json_object_get(told, "interfaces"), i, interface) {
        if (g_strcmp0(json_string_value(json_object_get(interface, "name")), name) == 0)
            return interface;
    }
    g_assert_not_reached();
}

static void
test_tells_which_device_has_an_xdp_program(void)
{
    g_auto(World) world = world_new(NULL);

    fake_kernel_add_xdp(world.kernel, "ens9");
    json_auto_t *told = report(&world);
    g_assert_true(json_is_true(json_object_get(find(told, "ens9"), "xdp")));
    g_assert_true(json_is_false(json_object_get(find(told, "ens3"), "xdp")));
}

static void
test_tells_whom_bonds_reach_and_no_others(void)
{
    g_auto(World) world = world_new(HEADER OF_NIC OF_BOND);
    json_auto_t *told = report(&world);

    g_assert_cmpstr(json_string_value(json_object_get(told, "arp")), ==, OF_BOND);
}

static void
test_table_that_cannot_be_read_is_empty(void)
{
    g_auto(World) world = world_new(NULL);
    json_auto_t *told = report(&world);

    g_assert_cmpstr(json_string_value(json_object_get(told, "arp")), ==, "");
}

static void
test_of_a_long_table_whole_lines_are_told(void)
{
    g_autoptr(GString) text = g_string_new(HEADER);

    for (int i = 0; i < 1000; i++)
        g_string_append(text, OF_BOND);
    g_string_append(text, "10.99.0.1 0x1 0x2 52:54:00:00:00:01 * a-name-longer-than-any\nodd\n");
    g_auto(World) world = world_new(text->str);
    json_auto_t *told = report(&world);
    const char *arp = json_string_value(json_object_get(told, "arp"));
    g_assert_cmpuint(strlen(arp), <, NEIGHBOURS_BYTES);
    g_assert_cmpuint(strlen(arp) % strlen(OF_BOND), ==, 0);
    g_assert_cmpuint(strlen(arp) / strlen(OF_BOND), >, 50);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-links/xdp", test_tells_which_device_has_an_xdp_program);
    g_test_add_func("/guest-links/neighbours", test_tells_whom_bonds_reach_and_no_others);
    g_test_add_func("/guest-links/no-table", test_table_that_cannot_be_read_is_empty);
    g_test_add_func("/guest-links/long-table", test_of_a_long_table_whole_lines_are_told);
    return g_test_run();
}
