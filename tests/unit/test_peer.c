/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "common/cli/peer.h"

#include <string.h>

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>

#include "common/fault.h"
#include "common/host_name.h"

static void
test_accepts_names_and_addresses(void)
{
    static const char *const names[] = { "host2", "host2.example.com", "192.0.2.7", "a_b-c" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(host_name_check(names[i], &error));
        g_assert_no_error(error);
    }
}

static void
test_refuses_what_ssh_or_libvirt_would_misread(void)
{
    static const char *const names[] = {
        "",      "-oProxyCommand=x", "a b", "a;b", "user@host", "host/x", "a\nb",
        ".host", "h?socket=x",       "\xff"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(host_name_check(names[i], &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_cmpstr(fault_remedy(error), !=, "");
    }
}

static void
test_bounds_the_length_of_names(void)
{
    g_autofree char *longest = g_strnfill(253, 'a');
    g_autofree char *longer = g_strnfill(254, 'a');

    g_assert_true(host_name_check(longest, NULL));
    g_assert_false(host_name_check(longer, NULL));
}

static void
test_knows_this_host_by_any_name(void)
{
    g_assert_true(host_name_is_own("host1", "host1"));
    g_assert_true(host_name_is_own("HOST1", "host1.example.com"));
    g_assert_true(host_name_is_own("host1.example.com", "host1"));
    g_assert_true(host_name_is_own("localhost", "host1"));
    g_assert_true(host_name_is_own("127.0.0.1", "host1"));
    g_assert_false(host_name_is_own("host2", "host1"));
    g_assert_false(host_name_is_own("host10", "host1"));
    g_assert_false(host_name_is_own("host1.b.com", "host1.a.com"));
}

static void
test_ssh_never_asks_and_takes_no_option_from_the_host(void)
{
    g_auto(GStrv) command = peer_ssh_command("/usr/bin/ssh", "host2", SERVICE_STORAGE, "/run/s");
    g_autofree char *line = g_strjoinv(" ", command);

    g_assert_true(g_str_has_prefix(line, "/usr/bin/ssh "));
    g_assert_nonnull(strstr(line, "-o BatchMode=yes"));
    g_assert_nonnull(strstr(line, "-o ConnectTimeout="));
    g_assert_nonnull(strstr(line, "-o ControlPath=/run/s"));
    g_assert_true(g_str_has_suffix(line, " -- host2 migprep proxy storage"));
}

static void
test_names_services_as_the_proxy_does(void)
{
    Service service;

    g_assert_true(service_from_name("network", &service));
    g_assert_cmpint(service, ==, SERVICE_NETWORK);
    g_assert_true(service_from_name("storage", &service));
    g_assert_cmpint(service, ==, SERVICE_STORAGE);
    g_assert_false(service_from_name("Network", &service));
    g_assert_false(service_from_name("", &service));
}

static void
test_missing_local_daemon_is_told_as_such(void)
{
    g_autoptr(Peer) peer = peer_new_local("/nonexistent/network", "/nonexistent/storage");
    g_autoptr(GError) error = NULL;

    g_assert_null(
        peer_call(peer, &(PeerCall) { .service = SERVICE_NETWORK, .method = "ListJobs" }, &error));
    g_assert_error(error, FAULT, FAULT_DAEMON_UNAVAILABLE);
    g_assert_nonnull(strstr(fault_object(error), "/nonexistent/network"));
}

static void
test_unreachable_host_is_told_with_the_words_of_ssh(void)
{
    g_autofree char *directory = g_dir_make_tmp("peer-XXXXXX", NULL);
    g_autofree char *ssh = g_build_filename(directory, "ssh", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents_full(
        ssh, "#!/bin/sh\ncat >/dev/null &\necho 'No route to host' >&2\nexit 255\n", -1,
        G_FILE_SET_CONTENTS_NONE, 0700, NULL));
    g_autoptr(Peer) peer = peer_new_remote("host2", ssh);
    g_assert_null(
        peer_call(peer, &(PeerCall) { .service = SERVICE_NETWORK, .method = "ListJobs" }, &error));
    g_assert_error(error, FAULT, FAULT_PEER_UNREACHABLE);
    g_assert_nonnull(strstr(error->message, "host2"));
    g_assert_nonnull(strstr(fault_cause(error), "No route to host"));
    g_assert_cmpint(g_remove(ssh), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

/* An ssh whose connection leads to sockets of the test's. */
typedef struct {
    char *directory, *ssh, *paths[2];
    GSocket *control, *daemon;
    unsigned calls; /* that the daemon answers before it hangs up */
    GThread *thread;
} Forwarding;

static GSocket *
listen_at(const char *path)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    GSocket *listener =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

    g_assert_true(g_socket_bind(listener, address, FALSE, NULL));
    g_assert_true(g_socket_listen(listener, NULL));
    return listener;
}

/* Serves one connection. */
static void *
serve(void *data)
{
    static const char answer[] = "{\"parameters\":{}}";
    Forwarding *forwarding = data;
    g_autoptr(GSocket) client = g_socket_accept(forwarding->daemon, NULL, NULL);
    char call[4096];

    for (unsigned i = 0; i < forwarding->calls; i++) {
        g_assert_cmpint(g_socket_receive(client, call, sizeof call, NULL, NULL), >, 0);
        g_assert_cmpint(g_socket_send(client, answer, sizeof answer, NULL, NULL), >, 0);
    }
    g_assert_cmpint(g_socket_receive(client, call, sizeof call, NULL, NULL), >=, 0);
    return NULL;
}

static void
set_up_forwarding(Forwarding *forwarding, const void *calls)
{
    static const char script[] = "#!/bin/sh\n"
                                 "while [ \"$1\" != -- ]; do case $1 in\n"
                                 "ControlPath=*) ln -s %s/control \"${1#*=}\" ;;\n"
                                 "*/network:*) ln -s %s/daemon \"${1%%%%:*}\" ;;\n"
                                 "esac; shift; done\n"
                                 "[ $# -eq 2 ] || { echo 'no program' >&2; exit 255; }\n";

    forwarding->directory = g_dir_make_tmp("peer-XXXXXX", NULL);
    forwarding->ssh = g_build_filename(forwarding->directory, "ssh", NULL);
    forwarding->paths[0] = g_build_filename(forwarding->directory, "control", NULL);
    forwarding->paths[1] = g_build_filename(forwarding->directory, "daemon", NULL);
    forwarding->control = listen_at(forwarding->paths[0]);
    forwarding->daemon = listen_at(forwarding->paths[1]);
    forwarding->calls = GPOINTER_TO_UINT(calls);
    g_autofree char *text = g_strdup_printf(script, forwarding->directory, forwarding->directory);
    g_assert_true(
        g_file_set_contents_full(forwarding->ssh, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
    forwarding->thread = g_thread_new("daemon", serve, forwarding);
}

static void
tear_down_forwarding(Forwarding *forwarding, const void *calls)
{
    g_thread_join(forwarding->thread);
    g_clear_object(&forwarding->control);
    g_object_unref(forwarding->daemon);
    for (gsize i = 0; i < G_N_ELEMENTS(forwarding->paths); i++) {
        g_unlink(forwarding->paths[i]);
        g_free(forwarding->paths[i]);
    }
    g_unlink(forwarding->ssh);
    g_assert_cmpint(g_rmdir(forwarding->directory), ==, 0);
    g_free(forwarding->ssh);
    g_free(forwarding->directory);
}

static json_t *
ask(Peer *peer, GError **error)
{
    return peer_call(peer, &(PeerCall) { .service = SERVICE_NETWORK, .method = "ListJobs" }, error);
}

static void
test_ssh_leads_to_the_daemon_itself(Forwarding *forwarding, const void *calls)
{
    g_autoptr(Peer) peer = peer_new_remote("host2", forwarding->ssh);

    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        json_auto_t *reply = ask(peer, &error);
        g_assert_no_error(error);
        g_assert_nonnull(reply);
    }
    g_clear_object(&forwarding->control); /* nobody answers there: the end is not waited for */
}

static void
test_daemon_that_hangs_up_is_told_with_its_host(Forwarding *forwarding, const void *calls)
{
    g_autoptr(Peer) peer = peer_new_remote("host2", forwarding->ssh);
    g_autoptr(GError) error = NULL;

    g_assert_null(ask(peer, &error));
    g_assert_error(error, FAULT, FAULT_DAEMON_UNAVAILABLE);
    g_assert_nonnull(strstr(fault_object(error), "host2"));
    g_assert_nonnull(strstr(fault_remedy(error), "ssh host2 journalctl"));
    g_clear_object(&forwarding->control);
}

static void
test_connection_that_is_lost_is_told_as_such(Forwarding *forwarding, const void *calls)
{
    g_autoptr(Peer) peer = peer_new_remote("host2", forwarding->ssh);
    g_autoptr(GError) error = NULL;

    g_clear_object(&forwarding->control);
    g_assert_null(ask(peer, &error));
    g_assert_error(error, FAULT, FAULT_PEER_UNREACHABLE);
    g_assert_nonnull(strstr(fault_cause(error), "lost"));
    g_assert_cmpstr(fault_remedy(error), ==, "make this work: ssh host2 true");
}

/* Where sshd forbids it, the connection is made and ends at once. */
static void
test_forward_that_ends_at_once_is_replaced_by_a_program(Forwarding *forwarding, const void *calls)
{
    g_autoptr(Peer) peer = peer_new_remote("host2", forwarding->ssh);
    g_autoptr(GError) error = NULL;

    g_assert_null(ask(peer, &error));
    g_assert_error(error, FAULT, FAULT_PEER_UNREACHABLE);
    g_assert_cmpstr(fault_cause(error), ==, "no program");
    g_clear_object(&forwarding->control);
}

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* as the programs do */
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-name/accepts-names-and-addresses", test_accepts_names_and_addresses);
    g_test_add_func("/host-name/refuses-what-ssh-or-libvirt-would-misread",
                    test_refuses_what_ssh_or_libvirt_would_misread);
    g_test_add_func("/host-name/bounds-the-length", test_bounds_the_length_of_names);
    g_test_add_func("/host-name/knows-this-host-by-any-name", test_knows_this_host_by_any_name);
    g_test_add_func("/peer/ssh-never-asks", test_ssh_never_asks_and_takes_no_option_from_the_host);
    g_test_add_func("/peer/names-services-as-the-proxy-does",
                    test_names_services_as_the_proxy_does);
    g_test_add_func("/peer/missing-local-daemon", test_missing_local_daemon_is_told_as_such);
    g_test_add_func("/peer/unreachable-host", test_unreachable_host_is_told_with_the_words_of_ssh);
#define ADD(name, calls, function)                                                                 \
    g_test_add("/peer/" name, Forwarding, GUINT_TO_POINTER(calls), set_up_forwarding, function,    \
               tear_down_forwarding)
    ADD("ssh-leads-to-the-daemon", 3, test_ssh_leads_to_the_daemon_itself);
    ADD("daemon-that-hangs-up", 1, test_daemon_that_hangs_up_is_told_with_its_host);
    ADD("connection-that-is-lost", 1, test_connection_that_is_lost_is_told_as_such);
    ADD("forward-that-ends-at-once", 0, test_forward_that_ends_at_once_is_replaced_by_a_program);
    return g_test_run();
}
