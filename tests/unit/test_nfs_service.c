/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of the service that mounts for a confined storprepd: the real one, started as
 * systemd starts it. */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child.h"
#include "common/fault.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_program.h"

typedef struct {
    char *directory;
    char *program;
    char *socket_path;
    char *proc; /* where process 12 has an image open */
    Child service;
} Fixture;

static const char *const no_environment[] = { NULL };

static int
listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(chmod(path, 0777), ==, 0); /* wider than the unit has it */
    g_assert_cmpint(listen(fd, 16), ==, 0);
    return fd;
}

static void
start_service(Fixture *fixture)
{
    const char *argv[] = { fixture->program, "serve", NULL };
    int listening = listen_at(fixture->socket_path);
    const int descriptors[] = { listening, STDERR_FILENO, STDERR_FILENO };

    g_assert_true(child_start(argv, no_environment, descriptors, &fixture->service, NULL));
    close(listening);
}

static void
put(const Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->proc, name, NULL);
    g_autofree char *directory = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
set_up(Fixture *fixture, const void *data)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *here = g_path_get_dirname(self);
    g_autofree char *descriptor = NULL;

    fixture->directory = g_dir_make_tmp("nfs-service-XXXXXX", NULL);
    g_assert_cmpint(chmod(fixture->directory, 0755), ==, 0);
    fixture->program = g_build_filename(here, "storprep-nfs", NULL);
    fixture->socket_path = g_build_filename(fixture->directory, "socket", NULL);
    fixture->proc = g_build_filename(fixture->directory, "proc", NULL);
    put(fixture, "12/comm", "qemu\n");
    put(fixture, "12/fd/0", "");
    descriptor = g_build_filename(fixture->proc, "12/fd/3", NULL);
    g_assert_cmpint(symlink("/srv/images/a.qcow2", descriptor), ==, 0);
    start_service(fixture);
    g_setenv(NFS_SOCKET_VARIABLE, fixture->socket_path, TRUE);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    const char *argv[] = { "rm", "-rf", "--", fixture->directory, NULL };

    g_unsetenv(NFS_SOCKET_VARIABLE);
    child_end(&fixture->service);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(fixture->directory);
    g_free(fixture->program);
    g_free(fixture->socket_path);
    g_free(fixture->proc);
}

static gboolean
find_user(const Fixture *fixture, json_t **ret_reply, GError **error)
{
    const char *arguments[] = { "find-user", fixture->proc, "/srv/images", NULL };
    int status;

    return nfs_program_run(arguments, 30, "images", &status, ret_reply, error);
}

static void
assert_serves(const Fixture *fixture)
{
    json_auto_t *reply = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(find_user(fixture, &reply, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(json_string_value(json_object_get(reply, "user")), ==, "process 12 (qemu)");
}

static void
test_privileged_verbs_run_in_the_service(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply = NULL;

    assert_serves(fixture);
    assert_serves(fixture);
    child_end(&fixture->service);
    g_assert_false(find_user(fixture, &reply, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(error->message, "systemctl status storprepd-nfs"));
    g_assert_cmpint(g_unlink(fixture->socket_path), ==, 0);
    start_service(fixture);
    assert_serves(fixture);
}

/* Exit statuses and what is said on standard error are the verb's. */
static void
test_answers_are_the_verbs_own(Fixture *fixture, const void *data)
{
    const char *unmount[] = { "unmount", "/nonexistent", "7", NULL };
    const char *system[] = { "unmount", "/usr", "7", NULL };
    const char *incomplete[] = { "unmount", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) second = NULL;
    json_auto_t *reply = NULL;
    int status;

    g_assert_true(nfs_program_run(unmount, 30, "x", &status, &reply, NULL));
    g_assert_cmpint(status, ==, NFS_STATUS_FOREIGN);
    g_assert_false(nfs_program_run(system, 30, "x", &status, &reply, &error));
    g_assert_nonnull(strstr(error->message, "is the system's"));
    g_assert_false(nfs_program_run(incomplete, 30, "x", &status, &reply, &second));
    g_assert_nonnull(strstr(second->message, "storprep-nfs unmount TARGET ID"));
}

/* Runs `storprep-nfs ask` as a daemon that was led astray might. */
static char *
ask(const Fixture *fixture, const char *const *words, int *ret_status)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    char *said = NULL;

    g_ptr_array_add(argv, fixture->program);
    g_ptr_array_add(argv, "ask");
    g_ptr_array_add(argv, fixture->socket_path);
    for (; *words; words++)
        g_ptr_array_add(argv, (char *)*words);
    g_ptr_array_add(argv, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                               &said, ret_status, NULL));
    return said;
}

static void
test_nothing_else_is_done(Fixture *fixture, const void *data)
{
    const char *words[] = { "place", "/tmp", "/tmp", "x", "y", NULL };
    int status;
    g_autofree char *said = ask(fixture, words, &status);

    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_nonnull(strstr(said, "'place' is nothing that takes this service"));
}

static void
test_who_is_not_root_gets_no_answer(Fixture *fixture, const void *data)
{
    const char *words[] = { "find-user", fixture->proc, "/srv/images", NULL };
    g_autofree char *said = NULL;
    int status;

    if (geteuid() != 0) {
        g_assert_null(g_getenv("REQUIRE_REAL"));
        g_test_skip("needs root, to be somebody else");
        return;
    }
    g_assert_cmpint(seteuid(65534), ==, 0);
    said = ask(fixture, words, &status);
    g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_nonnull(strstr(said, "ended before it was done"));
    assert_serves(fixture);
}

static void
test_more_than_a_message_holds_is_told(Fixture *fixture, const void *data)
{
    g_autofree char *middle = g_strnfill(100 << 10, 'x');
    const char *two_of_them[] = { "find-user", middle, middle, NULL };
    int status;
    g_autofree char *said = ask(fixture, two_of_them, &status);

    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_cmpstr(said, !=, "");
    assert_serves(fixture);
}

static int
connect_to_it(const Fixture *fixture)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, fixture->socket_path, sizeof address.sun_path);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    return fd;
}

static void
test_what_is_no_request_ends_its_connection_alone(Fixture *fixture, const void *data)
{
    static const char *const texts[] = {
        "", "x", "{}", "[]", "[1]", "[\"mount\"]", "[[]]", "[\"find-user\",\"\",\"\"]"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        int connection = connect_to_it(fixture);
        char byte;

        g_assert_cmpint(send(connection, texts[i], strlen(texts[i]), 0), >=, 0);
        g_assert_cmpint(recv(connection, &byte, 1, 0), ==, 0); /* it has no streams, either */
        close(connection);
    }
    assert_serves(fixture);
}

/* The worker reads the name of process 12 from a pipe where nobody writes. */
typedef struct {
    Child asking;
    int pipe; /* what the worker reads */
    int said; /* ends with the last process that could say something */
} Hanging;

static void
start_hanging(const Fixture *fixture, Hanging *hanging)
{
    g_autofree char *name = g_build_filename(fixture->proc, "12/comm", NULL);
    const char *argv[] = {
        fixture->program, "ask", fixture->socket_path, "find-user", fixture->proc,
        "/srv/images",    NULL
    };
    int pair[2];

    g_assert_cmpint(g_unlink(name), ==, 0);
    g_assert_cmpint(mkfifo(name, 0600), ==, 0);
    g_assert_true(g_unix_open_pipe(pair, FD_CLOEXEC, NULL));
    const int descriptors[] = { STDERR_FILENO, pair[1], STDERR_FILENO };
    g_assert_true(child_start(argv, no_environment, descriptors, &hanging->asking, NULL));
    close(pair[1]);
    hanging->said = pair[0];
    hanging->pipe = open(name, O_WRONLY | O_CLOEXEC); /* waits for the worker */
    g_assert_cmpint(hanging->pipe, >=, 0);
}

static void
assert_worker_ends(Hanging *hanging)
{
    char byte;

    g_assert_cmpint(read(hanging->said, &byte, 1), ==, 0); /* waits for its end */
    close(hanging->said);
    close(hanging->pipe);
}

static void
test_who_works_ends_with_who_asked(Fixture *fixture, const void *data)
{
    Hanging hanging;

    start_hanging(fixture, &hanging);
    child_end(&hanging.asking); /* as at a deadline */
    assert_worker_ends(&hanging);
}

static void
test_others_are_served_meanwhile(Fixture *fixture, const void *data)
{
    const char *words[] = { "unmount", "/nonexistent", "7", NULL };
    g_autofree char *said = NULL;
    Hanging hanging;
    int status;

    start_hanging(fixture, &hanging);
    said = ask(fixture, words, &status);
    g_assert_cmpint(WEXITSTATUS(status), ==, NFS_STATUS_FOREIGN);
    child_end(&hanging.asking);
    assert_worker_ends(&hanging);
}

static void
test_a_service_that_ends_is_a_failure(Fixture *fixture, const void *data)
{
    Hanging hanging;

    start_hanging(fixture, &hanging);
    child_end(&fixture->service);
    g_assert_cmpint(child_reap(&hanging.asking), ==, 1);
    close(hanging.pipe); /* systemd would end the worker, too */
    close(hanging.said);
}

/* Of a service, the mounts are the host's. */
static void
test_whose_mounts_count(Fixture *fixture, const void *data)
{
    g_assert_cmpstr(nfs_program_process(), ==, "1");
    g_unsetenv(NFS_SOCKET_VARIABLE);
    g_assert_cmpstr(nfs_program_process(), ==, "self");
    g_setenv(NFS_SOCKET_VARIABLE, fixture->socket_path, TRUE);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *fixture, const void *data);
    } tests[] = {
        { "/nfs-service/privileged", test_privileged_verbs_run_in_the_service },
        { "/nfs-service/answers", test_answers_are_the_verbs_own },
        { "/nfs-service/nothing-else", test_nothing_else_is_done },
        { "/nfs-service/strangers", test_who_is_not_root_gets_no_answer },
        { "/nfs-service/too-much", test_more_than_a_message_holds_is_told },
        { "/nfs-service/garbage", test_what_is_no_request_ends_its_connection_alone },
        { "/nfs-service/killed", test_who_works_ends_with_who_asked },
        { "/nfs-service/others", test_others_are_served_meanwhile },
        { "/nfs-service/ends", test_a_service_that_ends_is_a_failure },
        { "/nfs-service/mounts", test_whose_mounts_count },
    };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
