/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a port's answer means, with real sockets. */
#include <gio/gio.h>

#include "storprep/reach.h"

/* The real one, against sockets of this very host. */
static void
test_refusal_is_told_from_an_open_port(void)
{
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint16 ports[2] = { g_socket_listener_add_any_inet_port(listener, NULL, NULL), 0 };
    g_autoptr(GSocketListener) closed = g_socket_listener_new();
    ReachResult results[2] = { REACH_BLOCKED, REACH_BLOCKED };
    gboolean loopback = FALSE;
    g_autoptr(GError) error = NULL;

    ports[1] = g_socket_listener_add_any_inet_port(closed, NULL, NULL);
    g_socket_listener_close(closed);
    g_autofree char *address = reach_network.resolve("localhost", &loopback, &error);
    g_assert_no_error(error);
    g_assert_true(loopback);
    reach_network.try(address, ports, 2, 5000, results);
    g_assert_cmpint(results[0], ==, REACH_OPEN);
    g_assert_cmpint(results[1], ==, REACH_CLOSED);
    reach_network.try("255.255.255.255", ports, 1, 100, results);
    g_assert_cmpint(results[0], ==, REACH_BLOCKED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reach/refusal", test_refusal_is_told_from_an_open_port);
    return g_test_run();
}
