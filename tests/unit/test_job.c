/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs: one at a time on a subject, cancelled and awaited, remembered after their end. */
#include <string.h>

#include "common/fault.h"
#include "common/job.h"

/* A job that goes on until it is let go or cancelled. */
typedef struct {
    GMutex lock;
    GCond changed;
    gboolean free_to_end;
    gint freed;
} Gate;

static void
gate_init(Gate *gate)
{
    memset(gate, 0, sizeof *gate);
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->changed);
}

static void
gate_open(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->free_to_end = TRUE;
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
}

static void
wake(GCancellable *cancellable, gpointer gate)
{
    g_cond_broadcast(&((Gate *)gate)->changed);
}

static json_t *
wait_at_gate(Job *job, void *data, GError **error)
{
    Gate *gate = data;
    GCancellable *cancellable = job_cancellable(job);
    gulong id = g_cancellable_connect(cancellable, G_CALLBACK(wake), gate, NULL);

    job_progress(job, json_pack("{s:s}", "step", "waiting"));
    g_mutex_lock(&gate->lock);
    while (!gate->free_to_end && !g_cancellable_is_cancelled(cancellable))
        g_cond_wait_until(&gate->changed, &gate->lock, g_get_monotonic_time() + 10000);
    g_mutex_unlock(&gate->lock);
    g_cancellable_disconnect(cancellable, id);
    if (!g_cancellable_is_cancelled(cancellable))
        return json_pack("{s:i}", "answer", 42);
    fault_set(error, FAULT_CANCELLED, "job", NULL, "stopped");
    return NULL;
}

static void
note_freed(gpointer data)
{
    g_atomic_int_inc(&((Gate *)data)->freed);
}

static void
test_result_comes_back(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    Gate gate;

    gate_init(&gate);
    g_autoptr(Job) job = job_start(registry, "Wait", "x", wait_at_gate, &gate, note_freed, &error);
    g_assert_no_error(error);
    gate_open(&gate);
    json_t *result = job_wait(job, &error);
    g_assert_no_error(error);
    g_assert_cmpint(json_integer_value(json_object_get(result, "answer")), ==, 42);
    json_decref(result);
    g_assert_cmpint(gate.freed, ==, 1);
    g_assert_null(job_registry_find_subject(registry, "x"));
}

static void
test_one_job_works_on_a_subject(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    Gate gate;

    gate_init(&gate);
    g_autoptr(Job) job = job_start(registry, "Wait", "x", wait_at_gate, &gate, NULL, NULL);
    g_autoptr(Job) other = job_start(registry, "Wait", "y", wait_at_gate, &gate, NULL, NULL);
    g_assert_nonnull(other);
    g_assert_null(job_start(registry, "Wait", "x", wait_at_gate, &gate, note_freed, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_assert_nonnull(strstr(error->message, job_id(job)));
    g_assert_cmpint(gate.freed, ==, 1);
    g_autoptr(Job) found = job_registry_find_subject(registry, "x");
    g_assert_true(found == job);
    gate_open(&gate);
}

static void
test_cancelling_reaches_the_job(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    Gate gate;

    gate_init(&gate);
    g_autoptr(Job) job = job_start(registry, "Wait", "x", wait_at_gate, &gate, NULL, NULL);
    g_cancellable_cancel(job_cancellable(job));
    g_assert_null(job_wait(job, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
}

static void
test_registry_ends_its_jobs(void)
{
    JobRegistry *registry = job_registry_new();
    Gate gate;

    gate_init(&gate);
    for (int i = 0; i < 5; i++)
        job_unref(job_start(registry, "Wait", NULL, wait_at_gate, &gate, note_freed, NULL));
    job_registry_free(registry);
    g_assert_cmpint(gate.freed, ==, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/job/result", test_result_comes_back);
    g_test_add_func("/job/subject", test_one_job_works_on_a_subject);
    g_test_add_func("/job/cancel", test_cancelling_reaches_the_job);
    g_test_add_func("/job/registry", test_registry_ends_its_jobs);
    return g_test_run();
}
