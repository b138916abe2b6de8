/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the call of storprep-nfs and the reading of its answer. */
#include "storprep/nfs_program.h"

#include "common/fault.h"

#define NAME "storprep-nfs"

/* Beside this program: also when that was replaced since, as its old name is still known. */
static char *
find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *directory = g_path_get_dirname(self ? self : "/usr/sbin/x");

    return g_build_filename(directory, NAME, NULL);
}

static char **
make_argv(const char *const *arguments)
{
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv, find_program());
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
    return status == 0 || status == NFS_STATUS_BUSY || status == NFS_STATUS_FOREIGN;
}

gboolean
nfs_program_run_until(const char *const *arguments, unsigned seconds, GCancellable *cancellable,
                      const char *object, int *ret_status, json_t **ret_reply, GError **error)
{
    g_auto(GStrv) argv = make_argv(arguments);
    g_auto(ProgramResult) result = { 0 };
    GError *failure = NULL;
    json_t *reply;

    if (!program_run((const char *const *)argv, NULL, seconds, cancellable, &result, &failure))
        return explain(error, failure, object);
    if (!is_answer(result.exit_status)) {
        fault_set(error, FAULT_PROGRAM_FAILED, object,
                  "mend what it says, on this host or on the NFS server", "%s",
                  *g_strstrip(result.error_text) ? result.error_text : "it ended unexpectedly");
        return FALSE;
    }
    reply = json_loads(result.output, 0, NULL);
    *ret_status = result.exit_status;
    *ret_reply = reply ? reply : json_object();
    return TRUE;
}

gboolean
nfs_program_run(const char *const *arguments, unsigned seconds, const char *object, int *ret_status,
                json_t **ret_reply, GError **error)
{
    return nfs_program_run_until(arguments, seconds, NULL, object, ret_status, ret_reply, error);
}
