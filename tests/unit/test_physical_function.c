/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which network devices are ports of PFs: several ports, InfiniBand, switchdev, none at all. */
#include <net/if.h>

#include "fake/fake_sysfs.h"
#include "netprep/function_inventory.h"

#define CARD "0000:05:00.0"

typedef struct {
    char *sysfs;
} Tree;

static const char *const functions[] = { "0000:05:10.0", "0000:05:10.1", NULL };

static void
set_up(Tree *tree, gconstpointer unused)
{
    tree->sysfs = fake_sysfs_new();
}

static void
tear_down(Tree *tree, gconstpointer unused)
{
    fake_sysfs_remove(tree->sysfs);
}

static FunctionInventory *
read_tree(const Tree *tree)
{
    g_autoptr(GError) error = NULL;
    FunctionInventory *inventory = function_inventory_read(tree->sysfs, NULL, &error);

    g_assert_no_error(error);
    return inventory;
}

static const PhysicalFunction *
port(const FunctionInventory *inventory, guint i)
{
    g_assert_cmpuint(i, <, inventory->physical_functions->len);
    return inventory->physical_functions->pdata[i];
}

static void
test_totals_link_and_mtu_are_told(Tree *tree, gconstpointer unused)
{
    fake_sysfs_add_card(tree->sysfs, "pf0", CARD, functions);
    fake_sysfs_set_link(tree->sysfs, "pf0", "mtu", "9000\n");
    g_autoptr(FunctionInventory) inventory = read_tree(tree);
    const PhysicalFunction *only = port(inventory, 0);
    g_assert_cmpuint(inventory->physical_functions->len, ==, 1);
    g_assert_cmpstr(only->name, ==, "pf0");
    g_assert_cmpstr(only->address, ==, CARD);
    g_assert_cmpuint(only->total, ==, 256);
    g_assert_cmpuint(only->functions, ==, 2);
    g_assert_cmpuint(only->mtu, ==, 9000);
    g_assert_cmpint(only->link, ==, PHYSICAL_LINK_UP);
}

static void
test_card_that_is_down_or_unplugged_has_no_carrier(Tree *tree, gconstpointer unused)
{
    fake_sysfs_add_card(tree->sysfs, "pf0", CARD, functions);
    fake_sysfs_set_link(tree->sysfs, "pf0", "carrier", "0\n");
    g_autoptr(FunctionInventory) unplugged = read_tree(tree);
    g_assert_cmpint(port(unplugged, 0)->link, ==, PHYSICAL_LINK_NO_CARRIER);
    g_assert_false(function_has_carrier(function_inventory_find(unplugged, functions[0])));
    fake_sysfs_set_link(tree->sysfs, "pf0", "flags", "0x1002\n");
    g_autoptr(FunctionInventory) down = read_tree(tree);
    g_assert_cmpint(port(down, 0)->link, ==, PHYSICAL_LINK_DOWN);
    g_assert_false(function_has_carrier(function_inventory_find(down, functions[0])));
}

static void
test_card_without_network_device_goes_by_its_address(Tree *tree, gconstpointer unused)
{
    fake_sysfs_add_card(tree->sysfs, NULL, CARD, functions);
    g_autoptr(FunctionInventory) inventory = read_tree(tree);
    const Function *function = function_inventory_find(inventory, functions[1]);
    g_assert_cmpstr(port(inventory, 0)->name, ==, CARD);
    g_assert_cmpint(port(inventory, 0)->link, ==, PHYSICAL_LINK_UNKNOWN);
    g_assert_cmpstr(function->physical_function, ==, CARD);
    g_assert_true(function_has_carrier(function));
}

static void
test_card_without_functions_is_listed_and_other_devices_are_not(Tree *tree, gconstpointer unused)
{
    static const char *const none[] = { NULL };

    fake_sysfs_add_card(tree->sysfs, "pf0", CARD, none);
    fake_sysfs_add_card(tree->sysfs, NULL, "0000:06:00.0", none); /* a disk, in fact */
    fake_sysfs_set_device(tree->sysfs, "0000:06:00.0", "class", "0x010802\n");
    g_autoptr(FunctionInventory) inventory = read_tree(tree);
    g_assert_cmpuint(inventory->physical_functions->len, ==, 1);
    g_assert_cmpuint(port(inventory, 0)->functions, ==, 0);
}

/* One PCI function with two ports; each VF says by its port's id on which it is. */
static void
test_two_ports_share_a_card(Tree *tree, gconstpointer unused)
{
    fake_sysfs_add_card(tree->sysfs, "left", CARD, functions);
    fake_sysfs_add_link(tree->sysfs, CARD, "right", IFF_UP, NULL);
    fake_sysfs_set_link(tree->sysfs, "right", "dev_port", "1\n");
    fake_sysfs_set_link(tree->sysfs, "left", "phys_port_id", "aa01\n");
    fake_sysfs_set_link(tree->sysfs, "right", "phys_port_id", "aa02\n");
    fake_sysfs_bind(tree->sysfs, functions[0], "mlx4_core");
    fake_sysfs_add_link(tree->sysfs, functions[0], "nvf0", 0, NULL);
    fake_sysfs_set_link(tree->sysfs, "nvf0", "phys_port_id", "aa02\n");
    g_autoptr(FunctionInventory) inventory = read_tree(tree);
    g_assert_cmpuint(inventory->physical_functions->len, ==, 2);
    g_assert_cmpstr(port(inventory, 0)->name, ==, "left");
    g_assert_cmpstr(port(inventory, 1)->name, ==, "right");
    g_assert_cmpuint(inventory->functions->len, ==, 2);
    const Function *known = function_inventory_find(inventory, functions[0]);
    g_assert_cmpstr(known->physical_function, ==, "right");
    g_assert_cmpint(known->state, ==, FUNCTION_STATE_FREE);
    const Function *unknown = function_inventory_find(inventory, functions[1]);
    g_assert_cmpint(unknown->state, ==, FUNCTION_STATE_UNFIT);
    g_assert_nonnull(unknown->reason);
}

/* IPoIB: devices of type 32 with long addresses, and a child interface for a partition. */
static void
test_infiniband_child_is_not_taken_for_the_card(Tree *tree, gconstpointer unused)
{
    fake_sysfs_add_card(tree->sysfs, "ib0", CARD, functions);
    fake_sysfs_set_device(tree->sysfs, CARD, "class", "0x020700\n");
    fake_sysfs_set_link(tree->sysfs, "ib0", "type", "32\n");
    fake_sysfs_set_link(tree->sysfs, "ib0", "address",
                        "80:00:02:08:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:7b:9b:31\n");
    fake_sysfs_add_link(tree->sysfs, CARD, "a.8001", IFF_UP, NULL);
    fake_sysfs_set_link(tree->sysfs, "a.8001", "type", "32\n");
    fake_sysfs_set_link(tree->sysfs, "a.8001", "parent", "ib0\n");
    g_autoptr(FunctionInventory) inventory = read_tree(tree);
    g_assert_cmpuint(inventory->physical_functions->len, ==, 1);
    g_assert_cmpstr(port(inventory, 0)->name, ==, "ib0");
    g_assert_cmpuint(inventory->functions->len, ==, 2);
}

static void
test_representors_are_not_taken_for_the_card(Tree *tree, gconstpointer unused)
{
    static const char *const names[] = { "pf0vf0\n", "c1pf0vf1\n", "pf0sf7\n" };

    fake_sysfs_add_card(tree->sysfs, "p0", CARD, functions);
    fake_sysfs_set_link(tree->sysfs, "p0", "phys_port_name", "p0\n");
    fake_sysfs_set_link(tree->sysfs, "p0", "phys_switch_id", "0012ab\n");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *link = g_strdup_printf("a_rep%zu", i); /* sorts before p0 */
        fake_sysfs_add_link(tree->sysfs, CARD, link, IFF_UP, NULL);
        fake_sysfs_set_link(tree->sysfs, link, "phys_port_name", names[i]);
        fake_sysfs_set_link(tree->sysfs, link, "phys_switch_id", "0012ab\n");
    }
    g_autoptr(FunctionInventory) inventory = read_tree(tree);
    g_assert_cmpuint(inventory->physical_functions->len, ==, 1);
    g_assert_cmpstr(port(inventory, 0)->name, ==, "p0");
}

#define ADD(name, function)                                                                        \
    g_test_add("/physical-function/" name, Tree, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("totals-link-and-mtu", test_totals_link_and_mtu_are_told);
    ADD("no-carrier", test_card_that_is_down_or_unplugged_has_no_carrier);
    ADD("no-network-device", test_card_without_network_device_goes_by_its_address);
    ADD("no-functions", test_card_without_functions_is_listed_and_other_devices_are_not);
    ADD("two-ports", test_two_ports_share_a_card);
    ADD("infiniband", test_infiniband_child_is_not_taken_for_the_card);
    ADD("switchdev", test_representors_are_not_taken_for_the_card);
    return g_test_run();
}
