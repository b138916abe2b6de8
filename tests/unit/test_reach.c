/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a port's answer means, with real sockets. */
#include <gio/gio.h>

#include "common/fault.h"
#include "storprep/login.h"
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

/* Real ssh, which has nobody to ask: by RFC 2606 there is no such host. */
static void
test_login_on_a_host_that_is_not_there_says_why(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(login_try("nonesuch.invalid", &error));
    g_assert_error(error, FAULT, FAULT_PEER_UNREACHABLE);
    g_assert_cmpstr(fault_cause(error), !=, "");
    g_assert_cmpstr(fault_remedy(error), ==, "ping nonesuch.invalid");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reach/refusal", test_refusal_is_told_from_an_open_port);
    g_test_add_func("/login/nobody", test_login_on_a_host_that_is_not_there_says_why);
    return g_test_run();
}
