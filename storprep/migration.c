/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns a migration from the call to libvirt until it is known where the guest is. */
#include "storprep/migration.h"

#include "common/fault.h"
#include "storprep/outcome.h"

#define POLL_USEC  G_USEC_PER_SEC       /* progress; libvirt has no event for it */
#define ABORT_USEC (G_USEC_PER_SEC / 4) /* libvirt refuses to abort what has not begun yet */

struct Migrations {
    JobRegistry *jobs;
    Hypervisor *hypervisor;
    GCancellable *leaving;
    gint calls; /* into libvirt, under way */
};

/* One call into libvirt, shared by the thread that makes it and the job that follows it. */
typedef struct {
    Migrations *migrations;
    MigrationPlan *plan;
    GMutex lock;
    GCond changed;
    gboolean ended;
    GError *error; /* of libvirt, once ended; NULL: it reported success */
} Call;

typedef struct {
    Migrations *migrations;
    MigrationPlan *plan;
} Order;

Migrations *
migrations_new(JobRegistry *jobs, Hypervisor *hypervisor)
{
    Migrations *migrations = g_new0(Migrations, 1);

    migrations->jobs = jobs;
    migrations->hypervisor = hypervisor;
    migrations->leaving = g_cancellable_new();
    return migrations;
}

void
migrations_free(Migrations *migrations)
{
    /* A call that was left under way still refers to it. */
    if (!migrations || migrations_left(migrations))
        return;
    g_object_unref(migrations->leaving);
    g_free(migrations);
}

void
migrations_leave(Migrations *migrations)
{
    g_cancellable_cancel(migrations->leaving);
}

gboolean
migrations_left(const Migrations *migrations)
{
    return g_atomic_int_get(&migrations->calls) > 0;
}

static void
call_clear(void *data)
{
    Call *call = data;

    migration_plan_free(call->plan);
    g_clear_error(&call->error);
    g_mutex_clear(&call->lock);
    g_cond_clear(&call->changed);
}

static void
call_release(Call *call)
{
    g_atomic_rc_box_release_full(call, call_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_release)

static void *
make_call(void *data)
{
    Call *call = data;
    Migrations *migrations = call->migrations;
    const MigrationPlan *plan = call->plan;
    const MigrationRequest request = {
        .destination_uri = plan->destination_uri,
        .copy_disks = *plan->copy_disks ? (const char *const *)plan->copy_disks : NULL,
        .bandwidth_mebibytes = plan->bandwidth_mebibytes,
        .maximum_downtime_msec = plan->maximum_downtime_msec,
        .persist = plan->persistent,
        .undefine_source = plan->persistent,
        .auto_converge = plan->auto_converge,
    };
    GError *error = NULL;

    hypervisor_migrate(migrations->hypervisor, plan->guest_uuid, &request, &error);
    g_mutex_lock(&call->lock);
    call->error = error;
    call->ended = TRUE;
    g_atomic_int_add(&migrations->calls, -1);
    g_cond_broadcast(&call->changed);
    g_mutex_unlock(&call->lock);
    call_release(call);
    return NULL;
}

/* Takes @plan over. */
static Call *
start_call(Migrations *migrations, MigrationPlan *plan)
{
    Call *call = g_atomic_rc_box_new0(Call);

    call->migrations = migrations;
    call->plan = plan;
    g_mutex_init(&call->lock);
    g_cond_init(&call->changed);
    g_atomic_int_inc(&migrations->calls);
    g_thread_unref(g_thread_new("migrate", make_call, g_atomic_rc_box_acquire(call)));
    return call;
}

static void
wake(GCancellable *cancellable, void *data)
{
    Call *call = data;

    g_mutex_lock(&call->lock);
    g_cond_broadcast(&call->changed);
    g_mutex_unlock(&call->lock);
}

static json_t *
pack_progress(const MigrationProgress *progress)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "step", "migrate", "memoryTotalBytes",
                     (json_int_t)progress->memory_total_bytes, "memoryRemainingBytes",
                     (json_int_t)progress->memory_remaining_bytes, "diskTotalBytes",
                     (json_int_t)progress->disk_total_bytes, "diskRemainingBytes",
                     (json_int_t)progress->disk_remaining_bytes, "rateBytesPerSecond",
                     (json_int_t)progress->rate_bytes_per_second, "downtimeMilliseconds",
                     (json_int_t)progress->downtime_msec);
}

/* Reads progress into *@last unless libvirt has none (any more). */
static gboolean
read_progress(Call *call, MigrationProgress *last)
{
    g_autoptr(GError) error = NULL;
    MigrationProgress now;

    if (!hypervisor_get_progress(call->migrations->hypervisor, call->plan->guest_uuid, &now,
                                 &error)) {
        g_debug("no progress of guest '%s': %s", call->plan->guest_name, error->message);
        return FALSE;
    }
    if (!now.active && !now.memory_total_bytes)
        return FALSE;
    *last = now;
    return TRUE;
}

static void
abort_call(Call *call)
{
    g_autoptr(GError) error = NULL;

    if (!hypervisor_abort_job(call->migrations->hypervisor, call->plan->guest_uuid, &error))
        g_debug("guest '%s' not aborted yet: %s", call->plan->guest_name, error->message);
}

/* Waits for the end of the call, of the daemon, or a change of mind, but no longer than @usec. */
static void
wait_for_news(Call *call, GCancellable *cancellable, gint64 usec)
{
    gint64 deadline = g_get_monotonic_time() + usec;
    gboolean cancelled = g_cancellable_is_cancelled(cancellable);

    g_mutex_lock(&call->lock);
    while (!call->ended && !g_cancellable_is_cancelled(call->migrations->leaving) &&
           (cancelled || !g_cancellable_is_cancelled(cancellable))) {
        if (!g_cond_wait_until(&call->changed, &call->lock, deadline))
            break;
    }
    g_mutex_unlock(&call->lock);
}

static gboolean
has_ended(Call *call)
{
    gboolean ended;

    g_mutex_lock(&call->lock);
    ended = call->ended;
    g_mutex_unlock(&call->lock);
    return ended;
}

/* Until the call ended or the daemon leaves; returns whether it ended. */
static gboolean
follow(Job *job, Call *call, MigrationProgress *last)
{
    GCancellable *cancellable = job_cancellable(job);
    GCancellable *leaving = call->migrations->leaving;
    gulong woken_by_job = g_cancellable_connect(cancellable, G_CALLBACK(wake), call, NULL);
    gulong woken_by_daemon = g_cancellable_connect(leaving, G_CALLBACK(wake), call, NULL);

    while (!has_ended(call) && !g_cancellable_is_cancelled(leaving)) {
        if (g_cancellable_is_cancelled(cancellable)) {
            abort_call(call);
            wait_for_news(call, cancellable, ABORT_USEC);
        } else {
            if (read_progress(call, last))
                job_progress(job, pack_progress(last));
            wait_for_news(call, cancellable, POLL_USEC);
        }
    }
    g_cancellable_disconnect(cancellable, woken_by_job);
    g_cancellable_disconnect(leaving, woken_by_daemon);
    return has_ended(call);
}

static gboolean
confirm(Job *job, Call *call, GError **error)
{
    gboolean cancelled = g_cancellable_is_cancelled(job_cancellable(job));
    Outcome outcome = outcome_ask(call->migrations->hypervisor, call->plan->guest_uuid);

    if (call->error)
        g_propagate_error(error, g_error_copy(call->error));
    else if (outcome == OUTCOME_RUNNING_HERE || outcome == OUTCOME_PAUSED_HERE)
        fault_set(error, FAULT_MIGRATION_FAILED, call->plan->guest_name, NULL,
                  "libvirt reported success");
    else
        return TRUE;
    outcome_explain(outcome, call->plan->guest_name, cancelled, error);
    return FALSE;
}

static json_t *
pack_result(Call *call, MigrationProgress *last, gint64 started_usec)
{
    const MigrationPlan *plan = call->plan;

    read_progress(call, last);
    return json_pack("{s:{s:s, s:s}, s:I, s:I, s:I, s:I}", "guest", "name", plan->guest_name,
                     "uuid", plan->guest_uuid, "downtimeMilliseconds",
                     (json_int_t)last->downtime_msec, "elapsedMilliseconds",
                     (json_int_t)((g_get_monotonic_time() - started_usec) / 1000), "memoryBytes",
                     (json_int_t)last->memory_total_bytes, "diskBytes",
                     (json_int_t)last->disk_total_bytes);
}

static gboolean
check_not_cancelled(Job *job, const Order *order, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", order->plan->guest_name);

    if (!g_cancellable_is_cancelled(job_cancellable(job)) &&
        !g_cancellable_is_cancelled(order->migrations->leaving))
        return TRUE;
    fault_set(error, FAULT_CANCELLED, object, "migrate again when ready",
              "cancelled before libvirt was asked; %s", outcome_sentence(OUTCOME_RUNNING_HERE));
    return FALSE;
}

static json_t *
run_migration(Job *job, void *data, GError **error)
{
    Order *order = data;
    gint64 started_usec = g_get_monotonic_time();
    MigrationProgress last = { 0 };
    g_autoptr(Call) call = NULL;

    if (!check_not_cancelled(job, order, error))
        return NULL;
    call = start_call(order->migrations, g_steal_pointer(&order->plan));
    if (!follow(job, call, &last)) {
        g_autofree char *object = g_strdup_printf("guest '%s'", call->plan->guest_name);

        fault_set(error, FAULT_CANCELLED, object, "follow it with 'virsh domjobinfo'",
                  "storprepd is stopping; the migration goes on in libvirt");
        return NULL;
    }
    if (!confirm(job, call, error))
        return NULL;
    return pack_result(call, &last, started_usec);
}

static void
order_free(void *data)
{
    Order *order = data;

    migration_plan_free(order->plan);
    g_free(order);
}

Job *
migrations_start(Migrations *migrations, MigrationPlan *plan, GError **error)
{
    Order *order = g_new0(Order, 1);
    g_autofree char *uuid = g_strdup(plan->guest_uuid);

    order->migrations = migrations;
    order->plan = plan;
    return job_start(migrations->jobs, "Migrate", uuid, run_migration, order, order_free, error);
}
