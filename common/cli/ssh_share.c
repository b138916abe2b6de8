/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/ssh_share.h"

#include <string.h>

#include "common/cli/scratch.h"
#include "common/cli/ssh_master.h"
#include "common/fault.h"
#include "common/program.h"
#include "common/ssh_command.h"

#define SOCKET_BYTES 80 /* ssh adds up to 17; sun_path has 108 */

struct SshShare {
    char *ssh, *host;
    GArray *forwards; /* of SshForward */
    GMutex lock;      /* guards all below */
    GCond changed;
    Scratch *scratch;
    char *socket; /* in it; both NULL: none yet, or there is no place for it */
    gboolean is_open, opening;
    unsigned sessions; /* that have a place */
    unsigned attempts; /* that have ended */
    GError *failure;   /* of the last one; NULL: it went well */
};

SshShare *
ssh_share_new(const char *ssh, const char *host, const SshForward *forwards, gsize count)
{
    SshShare *share = g_new0(SshShare, 1);

    share->ssh = g_strdup(ssh);
    share->host = g_strdup(host);
    share->forwards = g_array_new(FALSE, FALSE, sizeof *forwards);
    if (count > 0)
        g_array_append_vals(share->forwards, forwards, (guint)count);
    g_mutex_init(&share->lock);
    g_cond_init(&share->changed);
    return share;
}

/* In this process's environment: ssh may need the user's agent. */
static gboolean
run_ssh(const SshShare *share, const char *const *options, unsigned seconds,
        GCancellable *cancellable, ProgramResult *ret_result, GError **error)
{
    static const char *const nothing[] = { NULL };
    g_auto(GStrv) environment = g_get_environ();
    g_auto(GStrv) argv = ssh_command(share->ssh, options, share->host, nothing);

    return program_run_leaving((const char *const *)argv, (const char *const *)environment, seconds,
                               cancellable, ret_result, error);
}

void
ssh_share_free(SshShare *share)
{
    if (!share)
        return;
    if (share->is_open)
        ssh_master_end(share->socket);
    scratch_free(share->scratch);
    g_clear_error(&share->failure);
    g_mutex_clear(&share->lock);
    g_cond_clear(&share->changed);
    g_array_unref(share->forwards);
    g_free(share->socket);
    g_free(share->ssh);
    g_free(share->host);
    g_free(share);
}

/* A directory of our own, since whoever can open the socket can use the connection. */
static void
make_place(SshShare *share)
{
    if (share->scratch)
        return;
    share->scratch = scratch_new(NULL);
    if (!share->scratch)
        return;
    share->socket = g_build_filename(scratch_path(share->scratch), "ssh", NULL);
    if (strlen(share->socket) <= SOCKET_BYTES)
        return;
    g_clear_pointer(&share->scratch, scratch_free);
    g_clear_pointer(&share->socket, g_free);
}

static void
set_unreachable(const SshShare *share, ProgramResult *result, GError **error)
{
    g_autofree char *object = g_strdup_printf("host '%s'", share->host);
    g_autofree char *remedy = g_strdup_printf("make this work: ssh %s true", share->host);
    const char *text = g_strstrip(result->error_text);
    const char *line = strrchr(text, '\n');

    fault_set(error, FAULT_PEER_UNREACHABLE, object, remedy, "%s",
              line    ? line + 1
              : *text ? text
                      : "ssh ended without a word");
}

/* Where a forwarded socket is. NULL if ssh would read the path as something else: it takes a colon
 * for its end, and looks for % and $ in it. */
static char *
forward_path(const SshShare *share, const char *name)
{
    for (const char *c = scratch_path(share->scratch); *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr("/._-", *c))
            return NULL;
    }
    return g_build_filename(scratch_path(share->scratch), name, NULL);
}

static void
add_forwards(const SshShare *share, GPtrArray *options)
{
    for (guint i = 0; i < share->forwards->len; i++) {
        const SshForward *forward = &g_array_index(share->forwards, SshForward, i);
        g_autofree char *path = forward_path(share, forward->name);

        if (path) {
            g_ptr_array_add(options, g_strdup("-L"));
            g_ptr_array_add(options, g_strdup_printf("%s:%s", path, forward->path));
        }
    }
}

/* NULL-terminated; owned. */
static char **
master_options(const SshShare *share)
{
    static const char *const always[] = { "-M", "-N", "-f", "-o", "ControlPersist=10" };
    GPtrArray *options = g_ptr_array_new();

    for (gsize i = 0; i < G_N_ELEMENTS(always); i++)
        g_ptr_array_add(options, g_strdup(always[i]));
    g_ptr_array_add(options, g_strdup("-o"));
    g_ptr_array_add(options, g_strdup_printf("ControlPath=%s", share->socket));
    add_forwards(share, options);
    g_ptr_array_add(options, NULL);
    return (char **)g_ptr_array_free(options, FALSE);
}

static gboolean
connect_now(const SshShare *share, GCancellable *cancellable, GError **error)
{
    g_auto(GStrv) options = master_options(share);
    g_auto(ProgramResult) result = { 0 };
    g_autoptr(GError) failure = NULL;

    if (run_ssh(share, (const char *const *)options, SSH_SHARE_SECONDS, cancellable, &result,
                &failure)) {
        if (result.exit_status == 0)
            return TRUE;
        set_unreachable(share, &result, error);
    } else if (fault_code(failure) == FAULT_CANCELLED) {
        g_propagate_error(error, g_steal_pointer(&failure));
    } else {
        result.error_text = g_strdup(fault_cause(failure));
        set_unreachable(share, &result, error);
    }
    return FALSE;
}

/* With the lock, which is let go meanwhile. */
static void
try_to_connect(SshShare *share, GCancellable *cancellable)
{
    GError *failure = NULL;

    share->opening = TRUE;
    g_mutex_unlock(&share->lock);
    gboolean is_open = connect_now(share, cancellable, &failure);
    g_mutex_lock(&share->lock);
    g_clear_error(&share->failure);
    share->failure = failure;
    share->is_open = is_open;
    share->opening = FALSE;
    share->attempts++;
    g_cond_broadcast(&share->changed);
}

gboolean
ssh_share_open(SshShare *share, GCancellable *cancellable, const char **ret_socket, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&share->lock);
    unsigned before = share->attempts;

    make_place(share);
    while (share->opening)
        g_cond_wait(&share->changed, &share->lock);
    if (!share->is_open && share->attempts == before && share->socket)
        try_to_connect(share, cancellable);
    if (share->socket && !share->is_open) {
        g_propagate_error(error, g_error_copy(share->failure));
        return FALSE;
    }
    *ret_socket = share->socket;
    return TRUE;
}

gboolean
ssh_share_enter(SshShare *share)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&share->lock);

    if (share->sessions >= SSH_SHARE_SESSIONS)
        return FALSE;
    share->sessions++;
    return TRUE;
}

void
ssh_share_leave(SshShare *share)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&share->lock);

    share->sessions--;
}

char *
ssh_share_forward(SshShare *share, const char *name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&share->lock);

    return share->is_open ? forward_path(share, name) : NULL;
}

gboolean
ssh_share_lives(SshShare *share)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&share->lock);

    return share->is_open && ssh_master_listens(share->socket);
}
