/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns a migration from the call to libvirt until it is known where the guest is. */
#include "storprep/migration.h"

#include "common/fault.h"
#include "storprep/convergence.h"
#include "storprep/migration_progress.h"
#include "storprep/migration_queue.h"
#include "storprep/outcome.h"
#include "storprep/source_disks.h"

#define POLL_USEC  G_USEC_PER_SEC       /* progress; libvirt has no event for it */
#define ABORT_USEC (G_USEC_PER_SEC / 4) /* libvirt refuses to abort what has not begun yet */

#define PROVEN_SAFE                                                                                \
    "libvirt was told to go on (unsafe): it cannot see that the disks are shared, which was "      \
    "proven, "                                                                                     \
    "and neither changes their owner nor keeps their data in this host's memory"

/* From what nobody notices to what breaks connections. */
static const double downtime_bounds[] = { 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 60 };

struct Migrations {
    JobRegistry *jobs;
    Hypervisor *hypervisor;
    MigrationQueue *queue;
    const char *const *directories;
    GCancellable *leaving;
    gint calls;           /* into libvirt, under way */
    Histogram *downtimes; /* seconds */
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

/* What the job that follows a call knows about it. */
typedef struct {
    Job *job;
    Call *call;
    SourceDisks *left_behind; /* to be removed; NULL: nothing */
    Convergence convergence;
    gint64 started_usec;
    MigrationProgress progress; /* the last there was */
    MigrationPhase told;        /* last */
    gboolean too_late;          /* the guest runs on the destination and fetches its memory */
    gboolean given_up;          /* its policy ended it */
} Pursuit;

Migrations *
migrations_new(JobRegistry *jobs, Hypervisor *hypervisor, unsigned at_once,
               const char *const *directories)
{
    Migrations *migrations = g_new0(Migrations, 1);

    migrations->jobs = jobs;
    migrations->hypervisor = hypervisor;
    migrations->queue = migration_queue_new(at_once);
    migrations->directories = directories;
    migrations->leaving = g_cancellable_new();
    migrations->downtimes = histogram_new(downtime_bounds, G_N_ELEMENTS(downtime_bounds));
    return migrations;
}

void
migrations_write_metrics(Migrations *migrations, OpenMetrics *metrics)
{
    open_metrics_family(metrics, METRIC_HISTOGRAM, "downtime_seconds",
                        "How long migrated guests stood still");
    open_metrics_histogram(metrics, migrations->downtimes, NULL, NULL);
}

void
migrations_free(Migrations *migrations)
{
    /* A call that was left under way still refers to it. */
    if (!migrations || migrations_left(migrations))
        return;
    migration_queue_free(migrations->queue);
    g_object_unref(migrations->leaving);
    histogram_free(migrations->downtimes);
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

static const char *
compression_of(const Policy *policy)
{
    switch ((Compression)policy->values[POLICY_COMPRESSION]) {
    case COMPRESSION_NONE:
        return NULL;
    case COMPRESSION_XBZRLE:
        return "xbzrle";
    case COMPRESSION_ZSTD:
        return "zstd";
    }
    g_return_val_if_reached(NULL);
}

/* What is about memory or about libvirt's copying does not apply to a guest that is shut off. */
static MigrationRequest
request_of(const MigrationPlan *plan)
{
    const Policy *policy = &plan->policy;
    gboolean active = plan->mode != MIGRATION_OFFLINE;

    return (MigrationRequest) {
        .mode = plan->mode,
        .destination_uri = plan->destination_uri,
        .copy_disks = active && *plan->copy_disks ? (const char *const *)plan->copy_disks : NULL,
        .incremental = plan->incremental,
        .destination_xml = plan->destination_xml,
        .persistent_xml = plan->persistent_xml,
        .bandwidth_mebibytes = active ? policy->values[POLICY_BANDWIDTH] : 0,
        .maximum_downtime_msec = active ? policy->values[POLICY_MAX_DOWNTIME] : 0,
        .parallel_connections = plan->parallel_connections,
        .compression = active ? compression_of(policy) : NULL,
        .persist = plan->persist,
        .undefine_source = plan->undefine_source,
        .auto_converge = active && policy->values[POLICY_AUTO_CONVERGE],
        .post_copy = migration_plan_wants_post_copy(plan),
        .tls = active && policy->values[POLICY_TLS],
        .tunnelled = plan->tunnelled,
        .unsafe = plan->unsafe,
    };
}

static void *
make_call(void *data)
{
    Call *call = data;
    Migrations *migrations = call->migrations;
    const MigrationPlan *plan = call->plan;
    const MigrationRequest request = request_of(plan);
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

/* Reads progress unless libvirt has none (any more). */
static gboolean
read_progress(Pursuit *pursuit)
{
    const Call *call = pursuit->call;
    g_autoptr(GError) error = NULL;
    MigrationProgress now;

    if (!hypervisor_get_progress(call->migrations->hypervisor, call->plan->guest_uuid, &now,
                                 &error)) {
        g_debug("no progress of guest '%s': %s", call->plan->guest_name, error->message);
        return FALSE;
    }
    if (!now.active && !now.memory_total_bytes)
        return FALSE;
    pursuit->progress = now;
    return TRUE;
}

static MigrationPhase
phase_of(const Pursuit *pursuit)
{
    if (pursuit->too_late)
        return MIGRATION_PHASE_POSTCOPY;
    if (pursuit->given_up || g_cancellable_is_cancelled(job_cancellable(pursuit->job)))
        return MIGRATION_PHASE_CANCELLING;
    if (pursuit->convergence.acted && pursuit->convergence.action == TIMEOUT_SUSPEND)
        return MIGRATION_PHASE_SUSPENDED;
    return migration_phase_of(&pursuit->progress);
}

static void
tell_progress(Pursuit *pursuit)
{
    MigrationPhase phase = phase_of(pursuit);

    if (phase != pursuit->told)
        g_debug("guest '%s': %s, %.1f ms after libvirt was asked", pursuit->call->plan->guest_name,
                migration_phase_name(phase),
                (double)(g_get_monotonic_time() - pursuit->started_usec) / 1000);
    pursuit->told = phase;
    job_progress(pursuit->job, migration_progress_pack(phase, &pursuit->progress));
}

static void
abort_call(const Call *call)
{
    g_autoptr(GError) error = NULL;

    if (!hypervisor_abort_job(call->migrations->hypervisor, call->plan->guest_uuid, &error))
        g_debug("guest '%s' not aborted yet: %s", call->plan->guest_name, error->message);
}

/* What the policy says for a migration that takes too long. FALSE with @error: libvirt refuses. */
static gboolean
act(Pursuit *pursuit, GError **error)
{
    Hypervisor *hypervisor = pursuit->call->migrations->hypervisor;
    const char *uuid = pursuit->call->plan->guest_uuid;

    switch (pursuit->convergence.action) {
    case TIMEOUT_CONTINUE:
        return TRUE;
    case TIMEOUT_ABORT:
        pursuit->given_up = TRUE;
        return TRUE;
    case TIMEOUT_SUSPEND:
        return hypervisor_suspend(hypervisor, uuid, error);
    case TIMEOUT_POSTCOPY:
        pursuit->too_late = hypervisor_start_post_copy(hypervisor, uuid, error);
        return pursuit->too_late;
    }
    g_return_val_if_reached(FALSE);
}

/* libvirt may refuse while it is between two phases: then the next look tries again. */
static void
help_converge(Pursuit *pursuit)
{
    const MigrationPlan *plan = pursuit->call->plan;
    g_autofree char *action = policy_print(POLICY_ON_TIMEOUT, (guint64)pursuit->convergence.action);
    g_autoptr(GError) error = NULL;

    if (!convergence_is_due(&pursuit->convergence, &pursuit->progress, g_get_monotonic_time()))
        return;
    pursuit->convergence.acted = act(pursuit, &error);
    if (pursuit->convergence.acted)
        g_message("guest '%s': memory was not sent within %" G_GUINT64_FORMAT " s: %s",
                  plan->guest_name, plan->policy.values[POLICY_TIMEOUT], action);
    else
        g_debug("guest '%s': no %s yet: %s", plan->guest_name, action, error->message);
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

/* One look at the migration; returns how long the next one can wait, in microseconds. */
static gint64
look(Pursuit *pursuit)
{
    gboolean stop = g_cancellable_is_cancelled(job_cancellable(pursuit->job)) || pursuit->given_up;

    if (read_progress(pursuit) || stop)
        tell_progress(pursuit);
    if (stop && !pursuit->too_late) {
        abort_call(pursuit->call);
        return ABORT_USEC;
    }
    help_converge(pursuit);
    if (pursuit->given_up)
        return 0;
    return convergence_wait(&pursuit->convergence, g_get_monotonic_time(), POLL_USEC);
}

/* Until the call ended or the daemon leaves; returns whether it ended. */
static gboolean
follow(Pursuit *pursuit)
{
    Call *call = pursuit->call;
    GCancellable *cancellable = job_cancellable(pursuit->job);
    GCancellable *leaving = call->migrations->leaving;
    gulong woken_by_job = g_cancellable_connect(cancellable, G_CALLBACK(wake), call, NULL);
    gulong woken_by_daemon = g_cancellable_connect(leaving, G_CALLBACK(wake), call, NULL);

    tell_progress(pursuit);
    while (!has_ended(call) && !g_cancellable_is_cancelled(leaving))
        wait_for_news(call, cancellable, look(pursuit));
    g_cancellable_disconnect(cancellable, woken_by_job);
    g_cancellable_disconnect(leaving, woken_by_daemon);
    return has_ended(call);
}

/* The fault of a migration that leaves all as it was. */
static FaultCode
code_of(const Pursuit *pursuit)
{
    if (g_cancellable_is_cancelled(job_cancellable(pursuit->job)))
        return FAULT_CANCELLED;
    return pursuit->given_up ? FAULT_TIMED_OUT : FAULT_MIGRATION_FAILED;
}

/* What libvirt said of its failure, or why its success is not believed. */
static void
copy_failure(const Pursuit *pursuit, GError **error)
{
    const Call *call = pursuit->call;

    if (!call->error)
        fault_set(error, FAULT_MIGRATION_FAILED, call->plan->guest_name, NULL,
                  "libvirt reported success");
    else if (pursuit->given_up)
        fault_set(error, FAULT_TIMED_OUT, call->plan->guest_name, NULL,
                  "ended by the policy, as its memory was not sent within %" G_GUINT64_FORMAT
                  " s: %s",
                  call->plan->policy.values[POLICY_TIMEOUT], fault_cause(call->error));
    else
        g_propagate_error(error, g_error_copy(call->error));
}

/* Whether the guest has left, as far as this host can tell. */
static gboolean
has_left(const Pursuit *pursuit, Outcome outcome)
{
    if (outcome == OUTCOME_RUNNING_HERE || outcome == OUTCOME_PAUSED_HERE ||
        outcome == OUTCOME_SPLIT)
        return FALSE;
    return outcome != OUTCOME_SHUT_OFF_HERE || !pursuit->call->plan->undefine_source;
}

static gboolean
confirm(const Pursuit *pursuit, GError **error)
{
    const Call *call = pursuit->call;
    gboolean offline = call->plan->mode == MIGRATION_OFFLINE;
    const OutcomeSubject subject = {
        .guest_name = call->plan->guest_name,
        .home = offline ? OUTCOME_SHUT_OFF_HERE : OUTCOME_RUNNING_HERE,
        .code = code_of(pursuit),
    };
    const Outcome outcome = outcome_ask(call->migrations->hypervisor, call->plan->guest_uuid);

    if (!call->error && has_left(pursuit, outcome))
        return TRUE;
    copy_failure(pursuit, error);
    outcome_explain(outcome, &subject, error);
    return FALSE;
}

static json_t *
pack_result(Pursuit *pursuit)
{
    const MigrationPlan *plan = pursuit->call->plan;
    const MigrationProgress *last = &pursuit->progress;

    read_progress(pursuit);
    if (last->downtime_msec > 0)
        histogram_add(pursuit->call->migrations->downtimes, (double)last->downtime_msec / 1000);
    json_t *result = json_pack(
        "{s:{s:s, s:s}, s:I, s:I, s:I, s:I}", "guest", "name", plan->guest_name, "uuid",
        plan->guest_uuid, "downtimeMilliseconds", (json_int_t)last->downtime_msec,
        "elapsedMilliseconds",
        (json_int_t)((g_get_monotonic_time() - pursuit->started_usec) / 1000), "memoryBytes",
        (json_int_t)last->memory_total_bytes, "diskBytes", (json_int_t)last->disk_total_bytes);
    if (plan->proven_safe)
        json_object_set_new(result, "notes", json_pack("[s]", PROVEN_SAFE));
    if (pursuit->left_behind)
        json_object_set_new(
            result, "removedDisks",
            source_disks_remove(pursuit->left_behind, pursuit->call->migrations->hypervisor));
    return result;
}

static void
tell_queued(void *data)
{
    const MigrationProgress nothing = { 0 };

    job_progress(data, migration_progress_pack(MIGRATION_PHASE_QUEUED, &nothing));
}

/* Waits for its turn; FALSE with @error if somebody changes his mind before. */
static gboolean
enter(Job *job, const Order *order, GError **error)
{
    GCancellable *const reasons[2] = { job_cancellable(job), order->migrations->leaving };
    g_autofree char *object = g_strdup_printf("guest '%s'", order->plan->guest_name);
    gboolean offline = order->plan->mode == MIGRATION_OFFLINE;

    if (migration_queue_enter(order->migrations->queue, reasons, tell_queued, job))
        return TRUE;
    fault_set(error, FAULT_CANCELLED, object, "migrate again when ready",
              "cancelled before libvirt was asked; %s",
              outcome_sentence(offline ? OUTCOME_SHUT_OFF_HERE : OUTCOME_RUNNING_HERE));
    return FALSE;
}

static json_t *
pursue(Pursuit *pursuit, GError **error)
{
    if (!follow(pursuit)) {
        g_autofree char *object = g_strdup_printf("guest '%s'", pursuit->call->plan->guest_name);

        fault_set(error, FAULT_CANCELLED, object, "follow it with 'virsh domjobinfo'",
                  "storprepd is stopping; the migration goes on in libvirt");
        return NULL;
    }
    return confirm(pursuit, error) ? pack_result(pursuit) : NULL;
}

static SourceDisks *
note_source_disks(const Migrations *migrations, const MigrationPlan *plan)
{
    return plan->remove_source_disks
               ? source_disks_new((const char *const *)plan->copy_paths, migrations->directories)
               : NULL;
}

static json_t *
run_migration(Job *job, void *data, GError **error)
{
    Order *order = data;
    Migrations *migrations = order->migrations;

    if (!enter(job, order, error))
        return NULL;
    if (!migration_plan_confirm_sent(order->plan, migrations->hypervisor, error)) {
        migration_queue_leave(migrations->queue);
        return NULL;
    }
    const Convergence convergence = convergence_new(&order->plan->policy, order->plan->mode);
    g_autoptr(SourceDisks) left_behind = note_source_disks(migrations, order->plan);
    g_autoptr(Call) call = start_call(migrations, g_steal_pointer(&order->plan));
    Pursuit pursuit = { .job = job,
                        .call = call,
                        .left_behind = left_behind,
                        .convergence = convergence,
                        .started_usec = g_get_monotonic_time() };
    json_t *result = pursue(&pursuit, error);

    migration_queue_leave(migrations->queue);
    return result;
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
