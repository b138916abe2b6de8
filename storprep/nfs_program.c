/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the call of storprep-nfs and the reading of its answer. */
#include "storprep/nfs_program.h"

#include <fcntl.h>
#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_place.h"

#define NAME "storprep-nfs"

/* Beside this program: also when that was replaced since, as its old name is still known. */
static char *
find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = g_path_get_dirname(self ? self : "/usr/sbin/x");

    return g_build_filename(directory, NAME, NULL);
}

/* NULL: there is none, and this process does what it can itself. */
static const char *
service_socket(void)
{
    return g_getenv(NFS_SOCKET_VARIABLE);
}

const char *
nfs_program_process(void)
{
    return service_socket() ? "1" : "self";
}

static char **
make_argv(const char *const *arguments)
{
    static const char *const privileged[] = { NFS_PRIVILEGED_VERBS, NULL };
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv, find_program());
    if (service_socket() && g_strv_contains(privileged, arguments[0])) {
        g_ptr_array_add(argv, g_strdup("ask"));
        g_ptr_array_add(argv, g_strdup(service_socket()));
    }
    for (const char *const *argument = arguments; *argument; argument++)
        g_ptr_array_add(argv, g_strdup(*argument));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

static gboolean
explain(GError **error, GError *failure, const char *object)
{
    g_autoptr(GError) cause = failure;

    if (fault_code(cause) == FAULT_TIMED_OUT)
        fault_set(error, FAULT_TIMED_OUT, object,
                  "see whether the NFS server runs and is reachable on TCP port 2049 (ping, "
                  "'rpcinfo -T tcp SERVER nfs', its firewall)",
                  "there was no answer in time: %s", fault_cause(cause));
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean
is_answer(int status)
{
    return status == 0 || (status >= NFS_STATUS_BUSY && status <= NFS_STATUS_PRIVATE);
}

static gboolean
judge(ProgramResult *result, const char *object, GError **error)
{
    if (is_answer(result->exit_status))
        return TRUE;
    fault_set(error, FAULT_PROGRAM_FAILED, object,
              "mend what it says, on this host or on the NFS server", "%s",
              *g_strstrip(result->error_text) ? result->error_text : "it ended unexpectedly");
    return FALSE;
}

gboolean
nfs_program_run(const char *const *arguments, unsigned seconds, const char *object, int *ret_status,
                json_t **ret_reply, GError **error)
{
    g_auto(GStrv) argv = make_argv(arguments);
    g_auto(ProgramResult) result = { 0 };
    GError *failure = NULL;
    json_t *reply;

    if (!program_run((const char *const *)argv, NULL, seconds, NULL, &result, &failure))
        return explain(error, failure, object);
    if (!judge(&result, object, error))
        return FALSE;
    reply = json_loads(result.output, 0, NULL);
    *ret_status = result.exit_status;
    *ret_reply = reply ? reply : json_object();
    return TRUE;
}

/* What it says, line by line. */
typedef struct {
    const NfsProgramTask *task;
    GString *text; /* of a line that is not complete */
    json_t *last;  /* NULL: none yet */
} Listener;

static void
listener_clear(Listener *listener)
{
    g_string_free(listener->text, TRUE);
    json_decref(listener->last);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Listener, listener_clear)

/* Takes @line over. */
static void
take_line(Listener *listener, json_t *line)
{
    if (listener->last && listener->task->told)
        listener->task->told(listener->last, listener->task->data);
    json_decref(listener->last);
    listener->last = line;
}

static void
said(const char *text, void *data)
{
    Listener *listener = data;
    const char *end;

    g_string_append(listener->text, text);
    while ((end = strchr(listener->text->str, '\n'))) {
        size_t length = (size_t)(end - listener->text->str);
        json_t *line = json_loadb(listener->text->str, length, 0, NULL);

        g_string_erase(listener->text, 0, (gssize)length + 1);
        if (line)
            take_line(listener, line);
    }
    if (listener->text->len > LIMIT_PROGRAM_OUTPUT_BYTES)
        g_string_truncate(listener->text, 0);
}

gboolean
nfs_program_perform(const NfsProgramTask *task, int *ret_status, json_t **ret_reply, GError **error)
{
    g_auto(GStrv) argv = make_argv(task->arguments);
    g_auto(FileDescriptor) nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_auto(Listener) listener = { .task = task, .text = g_string_new(NULL) };
    const ProgramTask program = { .argv = (const char *const *)argv,
                                  .input_fd = nothing,
                                  .timeout_seconds = task->seconds,
                                  .cancellable = task->cancellable,
                                  .said = said,
                                  .data = &listener };
    g_auto(ProgramResult) result = { 0 };
    GError *failure = NULL;

    if (!program_perform(&program, &result, &failure))
        return explain(error, failure, task->object);
    if (!judge(&result, task->object, error))
        return FALSE;
    *ret_status = result.exit_status;
    *ret_reply = listener.last ? g_steal_pointer(&listener.last) : json_object();
    return TRUE;
}
