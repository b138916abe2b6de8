/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the Varlink server listens, and whom it lets in. */
#include <grp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common/fault.h"
#include "common/limits.h"
#include "varlink_peer.h"

static const char description[] = "interface org.example.test\n"
                                  "method Echo(text: string) -> (text: string)\n"
                                  "method ListAll() -> ()\n";

typedef struct {
    Serving serving;
} Fixture;

static void
run_echo(VarlinkCall *call, json_t *parameters, void *context)
{
    varlink_call_reply(call, json_incref(parameters));
}

static const VarlinkMethod methods[] = { { "Echo", run_echo }, { "ListAll", run_echo }, { 0 } };

static void
set_up(Fixture *fixture, gconstpointer group)
{
    fixture->serving.group = group;
    serving_start(&fixture->serving, description, methods, NULL);
}

/* @group is the monitors'. */
static void
set_up_monitors(Fixture *fixture, gconstpointer group)
{
    fixture->serving.monitors = group;
    serving_start(&fixture->serving, description, methods, NULL);
}

static void
set_up_monitors_door(Fixture *fixture, gconstpointer group)
{
    fixture->serving.most = VARLINK_LEVEL_LOOK;
    serving_start(&fixture->serving, description, methods, NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    serving_stop(&fixture->serving);
}

#define ECHO(text)   "{\"method\":\"org.example.test.Echo\",\"parameters\":{\"text\":\"" text "\"}}"
#define ECHOED(text) "{\"parameters\":{\"text\":\"" text "\"}}"

static void
assert_serves(Fixture *fixture)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, ECHO("alive"));
    peer_assert_reply(fd, ECHOED("alive"));
    close(fd);
}

static void
test_connections_are_limited(Fixture *fixture, gconstpointer unused)
{
    const int limit = geteuid() == 0 ? LIMIT_CONNECTIONS : LIMIT_CONNECTIONS_PER_UID;
    g_autofree int *fds = g_new(int, limit);

    for (int i = 0; i < limit; i++)
        fds[i] = peer_connect(&fixture->serving);
    peer_send(fds[limit - 1], ECHO("last"));
    peer_assert_reply(fds[limit - 1], ECHOED("last"));
    peer_assert_hung_up(peer_connect(&fixture->serving));
    for (int i = 0; i < limit; i++) {
        shutdown(fds[i], SHUT_WR);
        peer_assert_hung_up(fds[i]);
    }
    assert_serves(fixture);
}

static void
test_socket_is_for_owner_and_group(Fixture *fixture, gconstpointer unused)
{
    struct stat status;

    g_assert_cmpint(stat(fixture->serving.path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0660);
}

#define STRANGER 65534

typedef struct {
    Fixture *fixture;
    gid_t group; /* supplementary */
    const char *request;
    char *reply;
} Stranger;

/* Changes the credentials of this thread only, which is what the raw calls do. */
static gpointer
call_as_stranger(gpointer data)
{
    Stranger *stranger = data;

    g_assert_cmpint(syscall(SYS_setgroups, 1, &stranger->group), ==, 0);
    g_assert_cmpint(syscall(SYS_setresgid, STRANGER, STRANGER, STRANGER), ==, 0);
    g_assert_cmpint(syscall(SYS_setresuid, STRANGER, STRANGER, STRANGER), ==, 0);
    int fd = peer_connect(&stranger->fixture->serving);
    peer_send(fd, stranger->request);
    stranger->reply = peer_receive(fd);
    close(fd);
    return NULL;
}

static char *
reply_to_stranger(Fixture *fixture, gid_t group, const char *request)
{
    Stranger stranger = { .fixture = fixture, .group = group, .request = request };

    /* Out of the way of file permissions: the server itself has to judge. */
    g_assert_cmpint(chmod(fixture->serving.directory, 0755), ==, 0);
    g_assert_cmpint(chmod(fixture->serving.path, 0666), ==, 0);
    g_thread_join(g_thread_new("stranger", call_as_stranger, &stranger));
    return stranger.reply;
}

static void
test_stranger_is_refused_before_parsing(Fixture *fixture, gconstpointer unused)
{
    static const char *const requests[] = { ECHO("a"), "no JSON at all" };

    if (geteuid() != 0) {
        g_test_skip("only root can be somebody else");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *reply = reply_to_stranger(fixture, STRANGER, requests[i]);
        g_assert_cmpstr(reply, ==,
                        "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}");
    }
    assert_serves(fixture);
}

static void
test_member_of_the_group_may_call(Fixture *fixture, gconstpointer unused)
{
    const struct group *group = getgrnam("daemon");

    if (geteuid() != 0 || !group) {
        g_test_skip("only root can be somebody else, and the group 'daemon' is needed");
        return;
    }
    g_autofree char *reply = reply_to_stranger(fixture, group->gr_gid, ECHO("member"));
    g_assert_cmpstr(reply, ==, ECHOED("member"));
}

/* Whatever a message says of its sender is no more than a field that nobody asked for. */
static void
test_forged_fields_change_nobody(Fixture *fixture, gconstpointer unused)
{
    static const char *const forged[] = {
        "{\"method\":\"org.example.test.Echo\",\"uid\":0,\"parameters\":{\"text\":\"a\"}}",
        "{\"method\":\"org.example.test.Echo\",\"parameters\":{\"text\":\"a\",\"uid\":0,\"pid\":1}"
        "}",
    };
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, forged[0]);
    peer_assert_hung_up(fd);
    fd = peer_connect(&fixture->serving);
    peer_send(fd, forged[1]);
    g_autofree char *reply = peer_receive(fd);
    g_assert_nonnull(strstr(reply, "InvalidParameter"));
    close(fd);
    for (size_t i = 0; geteuid() == 0 && i < G_N_ELEMENTS(forged); i++) {
        g_autofree char *refusal = reply_to_stranger(fixture, STRANGER, forged[i]);
        g_assert_nonnull(strstr(refusal, "PermissionDenied"));
    }
}

#define LIST_ALL "{\"method\":\"org.example.test.ListAll\"}"
#define INFO     "{\"method\":\"org.varlink.service.GetInfo\"}"
#define DENIED   "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}"

static void
test_monitor_may_look_and_not_change(Fixture *fixture, gconstpointer unused)
{
    const struct group *group = getgrnam("daemon");

    if (geteuid() != 0 || !group) {
        g_test_skip("only root can be somebody else, and the group 'daemon' is needed");
        return;
    }
    g_autofree char *list = reply_to_stranger(fixture, group->gr_gid, LIST_ALL);
    g_autofree char *info = reply_to_stranger(fixture, group->gr_gid, INFO);
    g_autofree char *echo = reply_to_stranger(fixture, group->gr_gid, ECHO("change"));
    g_autofree char *stranger = reply_to_stranger(fixture, STRANGER, LIST_ALL);
    g_assert_cmpstr(list, ==, "{\"parameters\":{}}");
    g_assert_nonnull(strstr(info, "org.example.test"));
    g_assert_cmpstr(echo, ==, DENIED);
    g_assert_cmpstr(stranger, ==, DENIED);
    assert_serves(fixture);
}

static void
test_nobody_changes_by_the_monitors_door(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, LIST_ALL);
    peer_assert_reply(fd, "{\"parameters\":{}}");
    peer_send(fd, ECHO("change"));
    peer_assert_reply(fd, DENIED);
    close(fd);
}

static void
test_only_names_that_look_are_for_monitors(void)
{
    static const char *const looking[] = { "Describe", "DescribeHost", "ListLeases", "GetInfo",
                                           "Check",    "Watch",        "WatchJob",   "GetPolicy" };
    static const char *const others[] = { "Reserve",        "Renew",        "Release",
                                          "Migrate",        "DigestImages", "ProbeExport",
                                          "CancelJob",      "FindProbe",    "SetPolicy",
                                          "IdentifyImages", "PlaceProbe",   "Export" };

    for (size_t i = 0; i < G_N_ELEMENTS(looking); i++)
        g_assert_true(varlink_access_is_look(looking[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_false(varlink_access_is_look(others[i]));
}

typedef struct {
    Fixture *fixture;
    uid_t uid;
    int *fds;
    size_t count;
} Crowd;

/* As another user, in a thread of its own, as above. */
static gpointer
connect_as(gpointer data)
{
    Crowd *crowd = data;

    g_assert_cmpint(syscall(SYS_setresuid, crowd->uid, crowd->uid, crowd->uid), ==, 0);
    for (size_t i = 0; i < crowd->count; i++)
        crowd->fds[i] = peer_connect(&crowd->fixture->serving);
    return NULL;
}

static void
test_others_cannot_lock_root_out(Fixture *fixture, gconstpointer unused)
{
    int fds[LIMIT_CONNECTIONS];

    if (geteuid() != 0) {
        g_test_skip("only root can be somebody else");
        return;
    }
    g_assert_cmpint(chmod(fixture->serving.directory, 0755), ==, 0);
    g_assert_cmpint(chmod(fixture->serving.path, 0666), ==, 0);
    for (size_t user = 0; user < LIMIT_CONNECTIONS / LIMIT_CONNECTIONS_PER_UID; user++) {
        Crowd crowd = { fixture, (uid_t)(40000 + user), fds + user * LIMIT_CONNECTIONS_PER_UID,
                        LIMIT_CONNECTIONS_PER_UID };
        g_thread_join(g_thread_new("crowd", connect_as, &crowd));
    }
    assert_serves(fixture);
    for (size_t i = 0; i < LIMIT_CONNECTIONS; i++)
        close(fds[i]);
}

static void
test_dead_socket_is_replaced_a_living_one_is_not(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(fixture->serving.directory, "second", NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(VarlinkServer) server = varlink_server_new("second", "1", NULL);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    close(fd);
    g_assert_true(varlink_server_listen(server, path, VARLINK_LEVEL_CHANGE, &error));
    g_assert_false(
        varlink_server_listen(server, fixture->serving.path, VARLINK_LEVEL_CHANGE, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    g_assert_nonnull(strstr(error->message, "somebody listens there"));
    assert_serves(fixture);
}

static void
test_file_in_the_way_is_not_removed(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(fixture->serving.directory, "file", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(VarlinkServer) server = varlink_server_new("second", "1", NULL);

    g_assert_true(g_file_set_contents(path, "precious", -1, NULL));
    g_assert_false(varlink_server_listen(server, path, VARLINK_LEVEL_CHANGE, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_clear_error(&error);
    g_assert_false(varlink_server_listen_fd(server, STDIN_FILENO, VARLINK_LEVEL_CHANGE, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

static void
test_handlers_and_description_must_agree(void)
{
    static const VarlinkMethod too_few[] = { { 0 } };
    static const VarlinkMethod too_many[] = { { "A", run_echo }, { "B", run_echo }, { 0 } };
    g_autoptr(VarlinkServer) server = varlink_server_new("test", "1", NULL);
    const VarlinkMethod *const wrong[] = { too_few, too_many };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(varlink_server_add_interface(server, "interface a.b\nmethod A() -> ()\n",
                                                    wrong[i], NULL, &error));
        g_assert_error(error, FAULT, FAULT_INTERNAL);
    }
}

#define ADD_FOR(name, function, group)                                                             \
    g_test_add("/varlink-access/" name, Fixture, group, set_up, function, tear_down)
#define ADD(name, function) ADD_FOR(name, function, NULL)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("connections-are-limited", test_connections_are_limited);
    ADD("socket-is-for-owner-and-group", test_socket_is_for_owner_and_group);
    ADD("stranger-is-refused-before-parsing", test_stranger_is_refused_before_parsing);
    ADD_FOR("member-of-the-group-may-call", test_member_of_the_group_may_call, "daemon");
    ADD("dead-socket-is-replaced-a-living-one-is-not",
        test_dead_socket_is_replaced_a_living_one_is_not);
    ADD("file-in-the-way-is-not-removed", test_file_in_the_way_is_not_removed);
    g_test_add("/varlink-access/monitor-may-look-and-not-change", Fixture, "daemon",
               set_up_monitors, test_monitor_may_look_and_not_change, tear_down);
    g_test_add("/varlink-access/nobody-changes-by-the-monitors-door", Fixture, NULL,
               set_up_monitors_door, test_nobody_changes_by_the_monitors_door, tear_down);
    g_test_add_func("/varlink-access/only-names-that-look-are-for-monitors",
                    test_only_names_that_look_are_for_monitors);
    ADD("forged-fields-change-nobody", test_forged_fields_change_nobody);
    ADD("others-cannot-lock-root-out", test_others_cannot_lock_root_out);
    g_test_add_func("/varlink-access/handlers-and-description-must-agree",
                    test_handlers_and_description_must_agree);
    return g_test_run();
}
