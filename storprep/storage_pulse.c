/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the verdicts on servers, and who waits for them. */
#include "storprep/storage_pulse.h"

#include "common/fault.h"
#include "storprep/nfs_program.h"

/* What is known of one server. */
typedef struct {
    GMutex lock; /* guards all below; held while the server is asked */
    gboolean asked;
    gint64 asked_usec; /* when it had answered, or had not */
    GError *error;     /* of one that is silent; NULL: it answered */
} Verdict;

struct StoragePulse {
    const StoragePulseOps *ops;
    GMutex lock;
    GHashTable *verdicts; /* of Verdict *, by server; with the lock. None is ever taken out */
};

static void
verdict_free(gpointer data)
{
    Verdict *verdict = data;

    g_mutex_clear(&verdict->lock);
    g_clear_error(&verdict->error);
    g_free(verdict);
}

StoragePulse *
storage_pulse_new(const StoragePulseOps *ops)
{
    StoragePulse *pulse = g_new0(StoragePulse, 1);

    pulse->ops = ops;
    g_mutex_init(&pulse->lock);
    pulse->verdicts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, verdict_free);
    return pulse;
}

void
storage_pulse_free(StoragePulse *pulse)
{
    if (!pulse)
        return;
    g_hash_table_unref(pulse->verdicts);
    g_mutex_clear(&pulse->lock);
    g_free(pulse);
}

static Verdict *
find_verdict(StoragePulse *pulse, const char *server)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pulse->lock);
    Verdict *verdict = g_hash_table_lookup(pulse->verdicts, server);

    if (!verdict) {
        verdict = g_new0(Verdict, 1);
        g_mutex_init(&verdict->lock);
        g_hash_table_insert(pulse->verdicts, g_strdup(server), verdict);
    }
    return verdict;
}

/* With the lock. */
static gboolean
still_holds(const Verdict *verdict, gint64 now)
{
    int seconds = verdict->error ? STORAGE_PULSE_SILENT_SECONDS : STORAGE_PULSE_GOOD_SECONDS;

    return verdict->asked && now - verdict->asked_usec < seconds * G_USEC_PER_SEC;
}

/* Silence is the server's and so everybody's; what it says of one directory is not. */
static void
explain(const GError *failure, const char *server, const char *target, Verdict *verdict,
        GError **error)
{
    g_autofree char *object = g_strdup_printf("server '%s'", server);
    g_autofree char *remedy =
        g_strdup_printf("rpcinfo -T tcp %s nfs; umount -f %s", server, target);

    if (fault_code(failure) == FAULT_TIMED_OUT) {
        fault_set(&verdict->error, FAULT_TIMED_OUT, object, remedy,
                  "did not answer within %d s, asked for %s", STORAGE_PULSE_SECONDS, target);
        g_propagate_error(error, g_error_copy(verdict->error));
    } else {
        fault_set(error, FAULT_PROGRAM_FAILED, object, remedy, "does not serve %s: %s", target,
                  fault_cause(failure));
    }
}

/* With the verdict's lock, which others wait for. */
static gboolean
ask_now(const StoragePulse *pulse, Verdict *verdict, const char *server, const char *target,
        GError **error)
{
    g_autoptr(GError) failure = NULL;

    g_clear_error(&verdict->error);
    gboolean good = pulse->ops->ask(target, &failure);
    verdict->asked = TRUE;
    verdict->asked_usec = pulse->ops->now_usec();
    if (!good)
        explain(failure, server, target, verdict, error);
    return good;
}

gboolean
storage_pulse_ask(StoragePulse *pulse, const NetworkMount *mount, GError **error)
{
    g_autofree char *server = network_mount_server(mount);
    Verdict *verdict = find_verdict(pulse, server);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&verdict->lock);

    if (!still_holds(verdict, pulse->ops->now_usec()))
        return ask_now(pulse, verdict, server, mount->target, error);
    if (verdict->error && error)
        *error = g_error_copy(verdict->error);
    return !verdict->error;
}

gboolean
storage_pulse_check(StoragePulse *pulse, const char *path, const char *mount_info, GError **error)
{
    g_autoptr(NetworkMount) mount = network_path_find(path, mount_info);

    return !mount || storage_pulse_ask(pulse, mount, error);
}

/* The real thing. */

static gboolean
ask_server(const char *target, GError **error)
{
    const char *arguments[] = { "answer", target, NULL };
    json_auto_t *reply = NULL;
    int status;

    return nfs_program_run(arguments, STORAGE_PULSE_SECONDS, target, &status, &reply, error);
}

const StoragePulseOps storage_pulse_real = { ask_server, g_get_monotonic_time };
