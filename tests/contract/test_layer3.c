/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses and routes go from one device to another and back in a real kernel, in a network
 * namespace of its own, as ip(8) shows them. */
#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netprep/guest/bond.h"
#include "netprep/guest/layer3.h"

/* v0 has it all; x0 is another device, with a hop of one of the routes; w0 is where it goes. */
static const char *const setup[] = {
    "ip link add v0 type veth peer name v1",
    "ip link add w0 type veth peer name w1",
    "ip link add x0 type veth peer name x1",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip link set w0 up",
    "ip link set w1 up",
    "ip link set x0 up",
    "ip link set x1 up",
    "ip address add 203.0.113.1/24 dev x0",
    "ip address add 192.0.2.5/24 dev v0 valid_lft 3600 preferred_lft 1800",
    "ip address add 192.0.2.6/24 dev v0 label v0:web",
    "ip address add 198.51.100.9/25 dev v0 noprefixroute metric 7",
    "ip address add 2001:db8::5/64 dev v0 nodad valid_lft 7200 preferred_lft 7200",
    "ip route add default via 192.0.2.1 dev v0 metric 100 src 192.0.2.6",
    "ip route add default via 203.0.113.254 dev x0 metric 100 table 77",
    "ip route add 10.1.0.0/16 via 192.0.2.1 dev v0 table 200 proto static",
    "ip route add 10.2.0.0/16 via 10.9.9.9 dev v0 onlink mtu 1400",
    "ip route add 10.3.0.0/16 nexthop via 192.0.2.1 dev v0 weight 3 nexthop via 203.0.113.9 dev x0",
    "ip route add 10.4.0.0/16 via 198.51.100.1 dev v0 onlink table 200",
    "ip route add default via 2001:db8::1 dev v0 metric 300 expires 600",
    "ip route add 2001:db8:5::/48 via 2001:db8::2 dev v0 src 2001:db8::5",
    "ip rule add from 192.0.2.5 table 200",
};

static char *
run(const char *command)
{
    g_auto(GStrv) argv = g_strsplit(command, " ", -1);
    g_autoptr(GError) error = NULL;
    char *output = NULL;
    int status = 0;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, &status, &error);
    g_assert_no_error(error);
    g_assert_cmpint(status, ==, 0);
    return output;
}

/* Lifetimes are counted down while the test runs, and a flag tells how an address came into use;
 * whether v0 or w0 has it, it reads the same. */
static char *
show(void)
{
    g_autofree char *addresses = run("ip -o address show");
    g_autofree char *routes = run("ip route show table all");
    g_autofree char *routes6 = run("ip -6 route show table all");
    g_autofree char *all = g_strconcat(addresses, routes, routes6, NULL);
    g_autoptr(GRegex) moment =
        g_regex_new("^[0-9]+: |[0-9]+sec| nodad", G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GRegex) local = g_regex_new("^.*(fe80|ff00|linkdown| table local|multicast ).*\n",
                                          G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *timeless = g_regex_replace(moment, all, -1, 0, "", 0, NULL);
    char *text = g_regex_replace(local, timeless, -1, 0, "", 0, NULL);

    return text;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, with @from called @to: the order in which a list grew is not what counts. */
static char *
normal(const char *text, const char *from, const char *to)
{
    g_autoptr(GRegex) name = g_regex_new(from, 0, 0, NULL);
    g_autofree char *renamed = g_regex_replace(name, text, -1, 0, to, 0, NULL);
    g_autoptr(GRegex) gaps = g_regex_new("[ \\t]+", 0, 0, NULL);
    g_autofree char *even = g_regex_replace(gaps, renamed, -1, 0, " ", 0, NULL);
    g_auto(GStrv) lines = g_strsplit(even, "\n", -1);

    qsort(lines, g_strv_length(lines), sizeof(char *), compare);
    return g_strjoinv("\n", lines);
}

static void
test_moves_and_comes_back(void)
{
    const Kernel *kernel = kernel_running();
    Failure failure = { 0 };
    Links links = { 0 };

    for (gsize i = 0; i < G_N_ELEMENTS(setup); i++)
        g_free(run(setup[i]));
    g_assert_true(links_read(kernel, &links, &failure));
    const Link *from = links_find_name(&links, "v0"), *to = links_find_name(&links, "w0");
    g_autofree char *before = show();
    g_assert_nonnull(strstr(before, "10.4.0.0"));

    Layer3 *layer3 = layer3_read(kernel, &from, 1, &failure);
    g_assert_nonnull(layer3);
    g_assert_true(layer3_remove(kernel, layer3, &failure));
    g_autofree char *empty = show();
    g_assert_null(strstr(empty, "v0"));
    layer3_move(kernel, layer3, to, &failure);
    g_assert_cmpstr(failure.text, ==, "");
    g_autofree char *moved = show(), *wanted = normal(before, "v0", "w0"),
                    *found = normal(moved, "v0", "w0");
    g_assert_cmpstr(found, ==, wanted);

    Layer3 *there = layer3_read(kernel, &to, 1, &failure);
    g_assert_true(layer3_remove(kernel, there, &failure));
    layer3_restore(kernel, layer3, &failure);
    g_assert_cmpstr(failure.text, ==, "");
    g_autofree char *after = show(), *first = normal(before, "v0", "v0"),
                    *last = normal(after, "v0", "v0");
    g_assert_cmpstr(last, ==, first);
    layer3_free(there);
    layer3_free(layer3);
    links_clear(&links);
}

static void
test_comes_back_after_the_device_was_down(void)
{
    const Kernel *kernel = kernel_running();
    Failure failure = { 0 };
    Links links = { 0 };

    g_assert_true(links_read(kernel, &links, &failure));
    const Link *link = links_find_name(&links, "v0");
    g_autofree char *before = show(), *first = normal(before, "v0", "v0");
    Layer3 *layer3 = layer3_read(kernel, &link, 1, &failure);
    g_assert_true(link_set_up(kernel, link, false, &failure));
    g_assert_true(layer3_remove(kernel, layer3, &failure));
    g_assert_true(link_set_up(kernel, link, true, &failure));
    layer3_restore(kernel, layer3, &failure);
    g_assert_cmpstr(failure.text, ==, "");
    g_autofree char *after = show(), *last = normal(after, "v0", "v0");
    g_assert_cmpstr(last, ==, first);
    layer3_free(layer3);
    links_clear(&links);
}

static int
skip(const char *reason)
{
    if (g_strcmp0(g_getenv("REQUIRE_REAL"), "1") == 0) {
        g_print("1..1\nnot ok 1 - %s\n", reason);
        return 1;
    }
    g_print("1..0 # SKIP %s\n", reason);
    return 0;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (unshare(CLONE_NEWNET) < 0)
        return skip("a network namespace of its own needs root");
    g_test_add_func("/layer3/moves-and-comes-back", test_moves_and_comes_back);
    g_test_add_func("/layer3/comes-back-after-the-device-was-down",
                    test_comes_back_after_the_device_was_down);
    return g_test_run();
}
