/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every BridgeFdb does, asserted of the fake and of the kernel: a bridge and a virtual device
 * in a network namespace of their own. */
#include <sched.h>
#include <string.h>

#include "fake/fake_bridge_fdb.h"
#include "netprep/function_settings.h"

#define PORT    "port"
#define MAC     "52:54:00:aa:00:01"
#define LEARNED "52:54:00:aa:00:02"
#define FIXED   "52:54:00:aa:00:03"

typedef struct {
    BridgeFdb *fdb;
    FakeBridgeFdb *fake; /* NULL: the kernel's */
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

static const guint8 *
bytes(const char *mac)
{
    static guint8 parsed[FUNCTION_MAC_BYTES];

    g_assert_true(function_mac_from_text(mac, parsed));
    return parsed;
}

static void
put(FakeBridgeFdb *fake, const char *mac, gboolean learned)
{
    FdbEntry entry = { .learned = learned };

    memcpy(entry.mac, bytes(mac), sizeof(entry.mac));
    fake_bridge_fdb_put(fake, PORT, &entry);
}

static void
set_up_fake(Side *side, const void *unused)
{
    side->fake = fake_bridge_fdb_new();
    side->fdb = fake_bridge_fdb_get(side->fake);
    put(side->fake, LEARNED, TRUE);
    put(side->fake, FIXED, FALSE);
}

/* A port must forward for its bridge to take an entry that could have been learned. */
static void
set_up_kernel(Side *side, const void *unused)
{
    side->fdb = bridge_fdb_new_netlink();
    run("ip link add bridge type bridge forward_delay 0");
    run("ip link add " PORT " type veth peer name far");
    run("ip link set " PORT " master bridge up");
    run("ip link set far up");
    run("ip link set bridge up");
    run("bridge fdb add " LEARNED " dev " PORT " master dynamic");
    run("bridge fdb add " FIXED " dev " PORT " master static");
}

static void
tear_down(Side *side, const void *unused)
{
    if (!side->fake) {
        run("ip link delete " PORT);
        run("ip link delete bridge");
    }
    bridge_fdb_free(side->fdb);
}

static gboolean
accepts(Side *side)
{
    g_autoptr(GError) error = NULL;
    gboolean found = FALSE;

    bridge_fdb_accepts(side->fdb, PORT, bytes(MAC), &found, &error);
    g_assert_no_error(error);
    return found;
}

static gboolean
accept(Side *side)
{
    g_autoptr(GError) error = NULL;
    gboolean added = FALSE;

    bridge_fdb_accept(side->fdb, PORT, bytes(MAC), &added, &error);
    g_assert_no_error(error);
    return added;
}

static unsigned
forget(Side *side, const char *mac)
{
    g_autoptr(GError) error = NULL;
    unsigned count = 0;

    bridge_fdb_forget(side->fdb, PORT, bytes(mac), &count, &error);
    g_assert_no_error(error);
    return count;
}

static void
test_says_whether_the_entry_is_new(Side *side, const void *unused)
{
    g_assert_false(accepts(side));
    g_assert_true(accept(side));
    g_assert_true(accepts(side));
    g_assert_false(accept(side));
}

static void
test_removal_may_be_repeated(Side *side, const void *unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(accept(side));
    for (int i = 0; i < 2; i++) {
        bridge_fdb_refuse(side->fdb, PORT, bytes(MAC), &error);
        g_assert_no_error(error);
        g_assert_false(accepts(side));
    }
}

static void
test_forgets_only_what_was_learned(Side *side, const void *unused)
{
    g_assert_cmpuint(forget(side, LEARNED), ==, 1);
    g_assert_cmpuint(forget(side, LEARNED), ==, 0);
    g_assert_cmpuint(forget(side, FIXED), ==, 0);
    g_assert_true(accept(side));
    g_assert_cmpuint(forget(side, MAC), ==, 0);
    g_assert_true(accepts(side));
}

static void
test_missing_device_is_named(Side *side, const void *unused)
{
    g_autoptr(GError) error = NULL;

    if (side->fake)
        fake_bridge_fdb_fail_from(side->fake, 1, -19);
    g_assert_false(bridge_fdb_forget(side->fdb, "nonesuch", bytes(MAC), NULL, &error));
    g_assert_error(error, FAULT, FAULT_INTERNAL);
    g_assert_cmpstr(fault_object(error), ==, "network device nonesuch");
    g_clear_error(&error);
    g_assert_true(bridge_fdb_refuse(side->fdb, "nonesuch", bytes(MAC), &error));
}

static void
add(const char *side, const char *name, void (*set_up)(Side *, const void *),
    void (*test)(Side *, const void *))
{
    g_autofree char *path = g_strdup_printf("/%s/%s", side, name);

    g_test_add(path, Side, NULL, set_up, test, tear_down);
}

static void
add_all(const char *side, void (*set_up)(Side *, const void *))
{
    add(side, "says-whether-the-entry-is-new", set_up, test_says_whether_the_entry_is_new);
    add(side, "removal-may-be-repeated", set_up, test_removal_may_be_repeated);
    add(side, "forgets-only-what-was-learned", set_up, test_forgets_only_what_was_learned);
    add(side, "missing-device-is-named", set_up, test_missing_device_is_named);
}

static void
skip_kernel(void)
{
    if (g_getenv("REQUIRE_REAL")) {
        g_test_message("a network namespace cannot be made: not root");
        g_test_fail();
    } else
        g_test_skip("a network namespace cannot be made: not root");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_all("fake", set_up_fake);
    if (unshare(CLONE_NEWNET) == 0)
        add_all("kernel", set_up_kernel);
    else
        g_test_add_func("/kernel/all", skip_kernel);
    return g_test_run();
}
