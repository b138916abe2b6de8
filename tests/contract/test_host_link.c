/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies above a network device, read from the fake tree and from the kernel's: devices in a
 * network namespace of their own. VLANs and bonds, which not every kernel has, are left to the unit
 * tests. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fake/fake_sysfs.h"
#include "netprep/host_link.h"
#include "netprep/link_addresses.h"
#include "netprep/sysfs_file.h"

typedef struct {
    char *tree; /* NULL: the kernel's */
    GHashTable *addressed;
    HostLinks *links;
} Side;

static void
run(const char *command)
{
    g_auto(GStrv) argv = g_strsplit(command, " ", -1);
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
}

static void
set_up_fake(Side *side, const void *unused)
{
    side->tree = fake_sysfs_new();
    side->addressed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    fake_sysfs_add_virtual(side->tree, "port", "veth", NULL);
    fake_sysfs_add_virtual(side->tree, "far", "veth", NULL);
    fake_sysfs_add_virtual(side->tree, "bridge", "bridge", "port");
    fake_sysfs_add_virtual(side->tree, "tap", "macvtap", "far");
    fake_sysfs_set_link(side->tree, "far", "flags", "0x1\n");
    g_hash_table_add(side->addressed, g_strdup("far"));
}

static void
set_up_kernel(Side *side, const void *unused)
{
    g_autoptr(GError) error = NULL;

    run("ip link add bridge type bridge");
    run("ip link add port type veth peer name far");
    run("ip link set port master bridge");
    run("ip link add link far name tap type macvtap");
    run("ip link set port up");
    run("ip link set far up"); /* which gives both a link-local address of their own */
    run("ip address add 192.0.2.1/24 dev far");
    side->addressed = link_addresses_read(&error);
    g_assert_no_error(error);
}

static void
tear_down(Side *side, const void *unused)
{
    host_links_free(side->links);
    g_hash_table_unref(side->addressed);
    if (side->tree)
        fake_sysfs_remove(side->tree);
    else
        run("ip link delete port");
    if (!side->tree)
        run("ip link delete bridge");
}

static const HostLink *
look(Side *side, const char *name)
{
    int sysfs = sysfs_open(AT_FDCWD, side->tree ? side->tree : "/sys");

    g_assert_cmpint(sysfs, >=, 0);
    g_clear_pointer(&side->links, host_links_free);
    g_assert_cmpint(host_links_read(sysfs, side->addressed, &side->links), ==, 0);
    close(sysfs);
    const HostLink *link = host_links_find(side->links, name);
    g_assert_nonnull(link);
    return link;
}

static void
test_port_of_a_bridge(Side *side, const void *unused)
{
    const HostLink *port = look(side, "port");
    g_autofree char *use = host_link_use(port);

    g_assert_cmpstr(use, ==, "is a port of bridge bridge");
    g_assert_cmpstr(host_link_bridge(port), ==, "bridge");
    g_assert_null(port->device);
}

static void
test_device_below_a_macvtap(Side *side, const void *unused)
{
    const HostLink *far = look(side, "far");
    g_autofree char *use = host_link_use(far);

    g_assert_cmpstr(use, ==, "carries macvtap tap");
    g_assert_null(host_link_bridge(far));
}

static void
test_device_with_an_address(Side *side, const void *unused)
{
    g_assert_true(look(side, "far")->in_use_by_address);
    g_assert_false(look(side, "port")->in_use_by_address);
}

static void
add_all(const char *name, void (*set_up)(Side *side, const void *unused))
{
    static const struct {
        const char *name;
        void (*run)(Side *side, const void *unused);
    } tests[] = {
        { "bridge", test_port_of_a_bridge },
        { "macvtap", test_device_below_a_macvtap },
        { "address", test_device_with_an_address },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strdup_printf("/host-link/%s/%s", name, tests[i].name);
        g_test_add(path, Side, NULL, set_up, tests[i].run, tear_down);
    }
}

static void
skip_kernel(void)
{
    g_test_skip("network namespaces and mounts need root");
}

/* A sysfs shows the network devices of the namespace that it was mounted in. */
static gboolean
enter_namespace(void)
{
    return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_PRIVATE | MS_REC, NULL) == 0 &&
           mount("sysfs", "/sys", "sysfs", 0, NULL) == 0;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_all("fake", set_up_fake);
    if (enter_namespace())
        add_all("kernel", set_up_kernel);
    else
        g_test_add_func("/host-link/kernel/all", skip_kernel);
    return g_test_run();
}
