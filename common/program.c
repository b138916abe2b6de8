/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running one external program to its end, with a deadline and bounded output. */
#include "common/program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/child.h"
#include "common/fault.h"
#include "common/limits.h"

const char *const *
program_environment(void)
{
    static const char *const clean[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        NULL,
    };

    return clean;
}

enum { STREAM_OUTPUT, STREAM_ERROR, STREAM_COUNT };

typedef struct {
    int fd; /* -1 after its end */
    GString *text;
} Stream;

typedef struct {
    const char *const *argv;
    const char *const *variables; /* besides the clean environment; NULL: none */
    unsigned timeout_seconds;
    GCancellable *cancellable;
    void (*said)(const char *text, void *data); /* NULL: standard output is kept */
    void *data;
    gboolean leaves; /* what it leaves in the background goes on */
    Child child;
    Stream streams[STREAM_COUNT];
} Run;

void
program_result_clear(ProgramResult *result)
{
    g_clear_pointer(&result->output, g_free);
    g_clear_pointer(&result->error_text, g_free);
}

static void
set_run_fault(GError **error, const Run *run, FaultCode code, const char *cause)
{
    g_autofree char *object = g_strdup_printf("program '%s'", run->argv[0]);
    g_autofree char *command = g_strjoinv(" ", (char **)run->argv);
    g_autofree char *remedy = g_strdup_printf("run it by hand to see why: %s", command);

    fault_set(error, code, object, remedy, "%s", cause);
}

/* Standard input as an unlinked memory file: nothing to feed, so nobody to wait for. */
static int
open_input(const char *input)
{
    size_t length = input ? strlen(input) : 0;

    if (!input)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < length;) {
        ssize_t written = write(fd, input + done, length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            close(fd);
            return -1;
        }
        done += (size_t)written;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Our ends of the pipes go to run->streams, the child's to @descriptors. */
static gboolean
open_descriptors(Run *run, int descriptors[3], GError **error)
{
    gboolean ok = descriptors[0] >= 0;
    for (int i = 0; i < STREAM_COUNT && ok; i++) {
        int pair[2];
        ok = g_unix_open_pipe(pair, FD_CLOEXEC, NULL);
        if (!ok)
            break;
        run->streams[i].fd = pair[0];
        descriptors[1 + i] = pair[1];
        g_unix_set_fd_nonblocking(pair[0], TRUE, NULL);
    }
    if (!ok)
        set_run_fault(error, run, FAULT_PROGRAM_FAILED, g_strerror(errno));
    return ok;
}

static char **
make_environment(const char *const *variables)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (const char *const *entry = program_environment(); *entry; entry++)
        g_strv_builder_add(builder, *entry);
    for (const char *const *entry = variables; entry && *entry; entry++)
        g_strv_builder_add(builder, *entry);
    return g_strv_builder_end(builder);
}

/* Takes @input_fd over. */
static gboolean
start(Run *run, int input_fd, GError **error)
{
    int descriptors[3] = { input_fd, -1, -1 };
    g_auto(GStrv) environment = make_environment(run->variables);
    gboolean started =
        open_descriptors(run, descriptors, error) &&
        child_start(run->argv, (const char *const *)environment, descriptors, &run->child, error);

    for (int i = 0; i < 3; i++)
        close_fd(&descriptors[i]);
    return started;
}

/* FALSE when the bound is exceeded. */
static gboolean
take_chunk(const Run *run, const Stream *stream, const char *chunk, gsize count, GError **error)
{
    if (run->said && stream == &run->streams[STREAM_OUTPUT]) {
        run->said(chunk, run->data);
        return TRUE;
    }
    if (stream->text->len + count > LIMIT_PROGRAM_OUTPUT_BYTES) {
        set_run_fault(error, run, FAULT_PROGRAM_FAILED, "printed more than is accepted");
        return FALSE;
    }
    g_string_append_len(stream->text, chunk, (gssize)count);
    return TRUE;
}

/* Takes what is there. */
static gboolean
read_stream(const Run *run, Stream *stream, GError **error)
{
    char chunk[8192 + 1];

    while (stream->fd >= 0) {
        ssize_t count = read(stream->fd, chunk, sizeof chunk - 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return TRUE;
        if (count <= 0) {
            close_fd(&stream->fd);
            return TRUE;
        }
        chunk[count] = '\0';
        if (!take_chunk(run, stream, chunk, (gsize)count, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_streams(Run *run, GError **error)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        if (!read_stream(run, &run->streams[i], error))
            return FALSE;
    }
    return TRUE;
}

static int
milliseconds_until(gint64 deadline_usec)
{
    gint64 left = deadline_usec - g_get_monotonic_time();

    return left <= 0 ? 0 : (int)MIN(left / 1000 + 1, G_MAXINT);
}

/* Waits for output, the end (*ret_ended), the deadline or the cancellable. */
static gboolean
wait_for_event(const Run *run, int cancel_fd, gint64 deadline_usec, gboolean *ret_ended,
               GError **error)
{
    struct pollfd fds[] = {
        { .fd = run->streams[STREAM_OUTPUT].fd, .events = POLLIN },
        { .fd = run->streams[STREAM_ERROR].fd, .events = POLLIN },
        { .fd = run->child.pidfd, .events = POLLIN },
        { .fd = cancel_fd, .events = POLLIN },
    };
    int count = poll(fds, G_N_ELEMENTS(fds), milliseconds_until(deadline_usec));

    *ret_ended = count > 0 && fds[2].revents != 0;
    if (*ret_ended)
        return TRUE;
    if (count > 0 && fds[3].revents != 0) {
        set_run_fault(error, run, FAULT_CANCELLED, "cancelled while it ran");
        return FALSE;
    }
    if (g_get_monotonic_time() >= deadline_usec) {
        g_autofree char *cause =
            g_strdup_printf("did not end within %u seconds", run->timeout_seconds);
        set_run_fault(error, run, FAULT_TIMED_OUT, cause);
        return FALSE;
    }
    return TRUE;
}

static gboolean
wait_for_end(Run *run, GError **error)
{
    gint64 deadline_usec = g_get_monotonic_time() + (gint64)run->timeout_seconds * G_USEC_PER_SEC;
    GPollFD cancel = { .fd = -1 };
    gboolean has_cancel_fd = g_cancellable_make_pollfd(run->cancellable, &cancel);
    gboolean ended = FALSE, ok = TRUE;

    while (ok && !ended)
        ok = wait_for_event(run, has_cancel_fd ? cancel.fd : -1, deadline_usec, &ended, error) &&
             read_streams(run, error);
    if (has_cancel_fd)
        g_cancellable_release_fd(run->cancellable);
    return ok;
}

static char *
take_text(Stream *stream)
{
    return g_string_free(g_steal_pointer(&stream->text), FALSE);
}

static void
run_clear(Run *run)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        close_fd(&run->streams[i].fd);
        if (run->streams[i].text)
            g_string_free(run->streams[i].text, TRUE);
    }
}

/* Takes @input_fd over. */
static gboolean
run_to_end(Run *run, int input_fd, ProgramResult *ret_result, GError **error)
{
    gboolean ok = FALSE;

    for (int i = 0; i < STREAM_COUNT; i++)
        run->streams[i] = (Stream) { .fd = -1, .text = g_string_new(NULL) };
    if (start(run, input_fd, error)) {
        ok = wait_for_end(run, error);
        int exit_status = ok && run->leaves ? child_reap(&run->child) : child_end(&run->child);
        if (ok) {
            ret_result->exit_status = exit_status;
            ret_result->output = take_text(&run->streams[STREAM_OUTPUT]);
            ret_result->error_text = take_text(&run->streams[STREAM_ERROR]);
        }
    }
    run_clear(run);
    return ok;
}

gboolean
program_run(const char *const *argv, const char *input, unsigned timeout_seconds,
            GCancellable *cancellable, ProgramResult *ret_result, GError **error)
{
    return program_run_with(argv, NULL, input, timeout_seconds, cancellable, ret_result, error);
}

gboolean
program_run_with(const char *const *argv, const char *const *variables, const char *input,
                 unsigned timeout_seconds, GCancellable *cancellable, ProgramResult *ret_result,
                 GError **error)
{
    Run run = { .argv = argv,
                .variables = variables,
                .timeout_seconds = timeout_seconds,
                .cancellable = cancellable };

    return run_to_end(&run, open_input(input), ret_result, error);
}

gboolean
program_run_leaving(const char *const *argv, const char *const *variables, unsigned timeout_seconds,
                    GCancellable *cancellable, ProgramResult *ret_result, GError **error)
{
    Run run = { .argv = argv,
                .variables = variables,
                .timeout_seconds = timeout_seconds,
                .cancellable = cancellable,
                .leaves = TRUE };

    return run_to_end(&run, open_input(NULL), ret_result, error);
}

gboolean
program_perform(const ProgramTask *task, ProgramResult *ret_result, GError **error)
{
    Run run = { .argv = task->argv,
                .timeout_seconds = task->timeout_seconds,
                .cancellable = task->cancellable,
                .said = task->said,
                .data = task->data };

    return run_to_end(&run, fcntl(task->input_fd, F_DUPFD_CLOEXEC, 3), ret_result, error);
}
