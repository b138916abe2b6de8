/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the threads of checks and their deadlines. */
#include "common/check_run.h"

#include "common/limits.h"

struct CheckRunner {
    GMutex lock; /* guards all below, and the members of runs that say so */
    GCond changed;
    unsigned running;
    gboolean closed;
};

/* One group at work; shared by its thread and by who waits for it. */
typedef struct {
    CheckRunner *runner;
    CheckGroup group;
    char *object;
    char *guest;        /* NULL: nobody */
    CheckReport *found; /* with the lock */
    gsize done;         /* with the lock: checks of the group that have come back */
    gboolean ended;     /* with the lock */
} Run;

CheckRunner *
check_runner_new(void)
{
    CheckRunner *runner = g_new0(CheckRunner, 1);

    g_mutex_init(&runner->lock);
    g_cond_init(&runner->changed);
    return runner;
}

gboolean
check_runner_finish(CheckRunner *runner, unsigned seconds)
{
    gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&runner->lock);

    runner->closed = TRUE;
    while (runner->running > 0) {
        if (!g_cond_wait_until(&runner->changed, &runner->lock, deadline))
            return FALSE;
    }
    return TRUE;
}

void
check_runner_free(CheckRunner *runner)
{
    if (!runner || !check_runner_finish(runner, 0))
        return;
    g_mutex_clear(&runner->lock);
    g_cond_clear(&runner->changed);
    g_free(runner);
}

static void
run_clear(Run *run)
{
    if (run->group.free_context)
        run->group.free_context(run->group.context);
    check_report_free(run->found);
    g_free(run->object);
    g_free(run->guest);
}

static void
run_unref(Run *run)
{
    g_atomic_rc_box_release_full(run, (GDestroyNotify)run_clear);
}

static Run *
run_new(CheckRunner *runner, const CheckGroup *group, const char *guest)
{
    Run *run = g_atomic_rc_box_new0(Run);

    run->runner = runner;
    run->group = *group;
    run->object = g_strdup(group->object);
    run->guest = g_strdup(guest);
    run->found = check_report_new();
    return run;
}

/* What was found becomes visible at once, when @checks more checks are through. */
static void
note(Run *run, CheckReport *report, gsize checks)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&run->runner->lock);

    check_report_take(run->found, report);
    run->done += checks;
}

/* All checks of @run from number @first on are unknown: @why. */
static void
give_up(const Run *run, gsize first, CheckReport *report, const char *why)
{
    for (const Check *check = run->group.checks + first; check->id; check++) {
        report->kind = check_catalogue_find(check->id);
        check_unknown(report, run->object, "%s", why);
    }
}

static void
run_checks(Run *run)
{
    if (run->group.tell) {
        g_autoptr(CheckReport) report = check_report_new();

        run->group.tell(run->group.context, report);
        note(run, report, 0);
    }
    for (const Check *check = run->group.checks; check->id; check++) {
        g_autoptr(CheckReport) report = check_report_new();

        report->kind = check_catalogue_find(check->id);
        report->guest = run->guest;
        check->run(run->group.context, report);
        note(run, report, 1);
    }
}

static void
work(Run *run)
{
    g_autoptr(GError) error = NULL;
    CheckReadiness readiness =
        run->group.prepare ? run->group.prepare(run->group.context, &error) : CHECK_READY;

    if (readiness == CHECK_READY) {
        run_checks(run);
    } else if (readiness == CHECK_HINDERED) {
        g_autoptr(CheckReport) report = check_report_new();

        give_up(run, 0, report, error ? error->message : "it cannot be checked here");
        note(run, report, 0);
    }
}

/* What the log knows a group by. */
static const char *
last_check(const Run *run)
{
    const char *id = "its facts";

    for (const Check *check = run->group.checks; check->id; check++)
        id = check->id;
    return id;
}

static gpointer
run_thread(gpointer data)
{
    Run *run = data;
    CheckRunner *runner = run->runner;
    gint64 began_usec = g_get_monotonic_time();

    work(run);
    g_debug("checks of %s up to %s took %.1f ms", run->object, last_check(run),
            (double)(g_get_monotonic_time() - began_usec) / 1000);
    g_mutex_lock(&runner->lock);
    run->ended = TRUE;
    g_cond_broadcast(&runner->changed);
    g_mutex_unlock(&runner->lock);
    run_unref(run);
    /* Last, since the runner and what contexts borrow may go away from here on. */
    g_mutex_lock(&runner->lock);
    runner->running--;
    g_cond_broadcast(&runner->changed);
    g_mutex_unlock(&runner->lock);
    return NULL;
}

static gboolean
claim_thread(CheckRunner *runner)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&runner->lock);

    if (runner->closed || runner->running >= LIMIT_CHECK_THREADS)
        return FALSE;
    runner->running++;
    return TRUE;
}

static void
return_thread(CheckRunner *runner)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&runner->lock);

    runner->running--;
    g_cond_broadcast(&runner->changed);
}

/* FALSE: its checks will not be run. */
static gboolean
start(Run *run)
{
    if (!claim_thread(run->runner))
        return FALSE;
    g_atomic_rc_box_acquire(run);
    GThread *thread = g_thread_try_new("check", run_thread, run, NULL);
    if (!thread) {
        run_unref(run);
        return_thread(run->runner);
        return FALSE;
    }
    g_thread_unref(thread);
    return TRUE;
}

static void
refuse(Run *run)
{
    give_up(run, 0, run->found, "too many checks are still waiting for an answer on this host");
    run->ended = TRUE;
}

/* With the lock. */
static void
wait_for(Run *run, gint64 deadline)
{
    while (!run->ended && g_cond_wait_until(&run->runner->changed, &run->runner->lock, deadline))
        ;
}

static void
collect(Run *run, gint64 deadline, double seconds, CheckReport *report)
{
    g_autofree char *why = g_strdup_printf("there was no answer within %.1f s", seconds);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&run->runner->lock);

    wait_for(run, deadline);
    check_report_take(report, run->found);
    if (!run->ended)
        give_up(run, run->done, report, why);
}

CheckReport *
check_runner_run(CheckRunner *runner, const CheckGroup *groups, gsize count, const char *guest,
                 unsigned timeout_msec)
{
    gint64 deadline = g_get_monotonic_time() + timeout_msec * G_TIME_SPAN_MILLISECOND;
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)run_unref);
    CheckReport *report = check_report_new();

    for (gsize i = 0; i < count; i++) {
        Run *run = run_new(runner, &groups[i], guest);

        g_ptr_array_add(runs, run);
        if (!start(run))
            refuse(run);
    }
    for (gsize i = 0; i < count; i++)
        collect(runs->pdata[i], deadline, timeout_msec / 1000.0, report);
    return report;
}
