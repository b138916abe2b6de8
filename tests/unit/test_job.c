/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs: one at a time on a subject, cancelled and awaited, remembered after their end. */
#include <string.h>

#include "common/fault.h"
#include "common/job.h"
#include "common/limits.h"
#include "varlink_peer.h"

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

static json_t *
note_turn(Job *job, void *data, GError **error)
{
    const Gate *gate = data;

    return json_pack("{s:b}", "errandWasOver", gate->free_to_end);
}

static void
test_a_request_waits_for_an_errand(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    Gate gate;

    gate_init(&gate);
    g_autoptr(Job) errand =
        job_start_errand(registry, "Free", "x", wait_at_gate, &gate, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(Job) request = job_start(registry, "Detach", "x", note_turn, &gate, NULL, &error);
    g_assert_no_error(error);
    /* Both are on the subject now: a second request and a second errand are refused. */
    g_autoptr(Job) found = job_registry_find_subject(registry, "x");
    g_assert_true(found == request);
    g_assert_null(job_start(registry, "Detach", "x", note_turn, &gate, NULL, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_assert_nonnull(strstr(error->message, job_id(request)));
    g_clear_error(&error);
    g_assert_null(job_start_errand(registry, "Free", "x", note_turn, &gate, NULL, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_clear_error(&error);
    gate_open(&gate);
    json_t *result = job_wait(request, &error);
    g_assert_no_error(error);
    g_assert_true(json_is_true(json_object_get(result, "errandWasOver")));
    json_decref(result);
}

static void
test_an_errand_waits_for_nobody(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    Gate gate;

    gate_init(&gate);
    g_autoptr(Job) request = job_start(registry, "Detach", "x", wait_at_gate, &gate, NULL, NULL);
    g_assert_nonnull(request);
    g_assert_null(job_start_errand(registry, "Free", "x", note_turn, &gate, note_freed, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_assert_cmpint(gate.freed, ==, 1);
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

static json_t *
end_at_once(Job *job, void *data, GError **error)
{
    return json_object();
}

static json_t *
end_without_a_word(Job *job, void *data, GError **error)
{
    return NULL;
}

static void
test_end_without_result_or_error_is_a_failure(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Job) job = job_start(registry, "Bad", NULL, end_without_a_word, NULL, NULL, NULL);

    g_assert_null(job_wait(job, &error));
    g_assert_error(error, FAULT, FAULT_INTERNAL);
}

static void
test_running_jobs_are_limited(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GError) error = NULL;
    Gate gate;

    gate_init(&gate);
    for (int i = 0; i < LIMIT_JOBS; i++) {
        g_autoptr(Job) job = job_start(registry, "Wait", NULL, wait_at_gate, &gate, NULL, NULL);
        g_assert_nonnull(job);
    }
    g_assert_null(job_start(registry, "Wait", NULL, wait_at_gate, &gate, NULL, &error));
    g_assert_error(error, FAULT, FAULT_LIMIT_EXCEEDED);
    gate_open(&gate);
}

static void
test_waiting_for_some_ends_with_them_or_the_deadline(void)
{
    g_autoptr(JobRegistry) registry = job_registry_new();
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_unref);
    Gate gate;

    gate_init(&gate);
    for (int i = 0; i < 2; i++)
        g_ptr_array_add(jobs, job_start(registry, "Wait", NULL, wait_at_gate, &gate, NULL, NULL));
    g_ptr_array_add(jobs, job_start(registry, "End", NULL, end_at_once, NULL, NULL, NULL));
    job_await_fewer(registry, jobs, 2, G_MAXINT64);
    g_assert_cmpuint(jobs->len, ==, 2);
    job_await_fewer(registry, jobs, 1, g_get_monotonic_time());
    g_assert_cmpuint(jobs->len, ==, 2);
    gate_open(&gate);
    job_await_fewer(registry, jobs, 0, G_MAXINT64);
    g_assert_cmpuint(jobs->len, ==, 0);
}

/* The served tests: a job at the gate behind a socket. */
typedef struct {
    JobRegistry *registry; /* first: the methods of all services find it here */
    Serving serving;
    Gate gate;
    gint listed_at_once; /* atomic */
} Service;

static const char description[] =
    "interface org.example.test\n"
    "method Start() -> (job: string, progress: ?object, result: ?object)\n"
    "method ListJobs() -> (jobs: []object)\n"
    "method WatchJob(job: string) -> (job: string, progress: ?object, result: ?object)\n"
    "method CancelJob(job: string) -> ()\n"
    "error Cancelled(object: string, cause: string, remedy: string)\n"
    "error JobNotFound(object: string, cause: string, remedy: string)\n"
    "error Internal(object: string, cause: string, remedy: string)\n";

static void
run_start(VarlinkCall *call, json_t *parameters, void *context)
{
    Service *service = context;
    g_autoptr(Job) job =
        job_start(service->registry, "Start", NULL, wait_at_gate, &service->gate, NULL, NULL);

    job_serve(job, call);
}

static const VarlinkMethod methods[] = {
    { "Start", run_start },
    { "ListJobs", job_method_list },
    { "WatchJob", job_method_watch },
    { "CancelJob", job_method_cancel },
    { 0 },
};

static gboolean
list_at_once(VarlinkCall *call, json_t *parameters, void *context)
{
    Service *service = context;
    gboolean listed = job_method_list_at_once(call, parameters, context);

    g_atomic_int_add(&service->listed_at_once, listed);
    return listed;
}

static const VarlinkBrief brief[] = { { "ListJobs", list_at_once }, { 0 } };

static void
set_up(Service *service, gconstpointer unused)
{
    service->registry = job_registry_new();
    service->serving.brief = brief;
    gate_init(&service->gate);
    serving_start(&service->serving, description, methods, service);
}

/* In the order of a daemon: jobs may still answer when the server is gone. */
static void
tear_down(Service *service, gconstpointer unused)
{
    serving_stop(&service->serving);
    job_registry_free(service->registry);
}

/* Sends a call of @method on @job (NULL: none), with @more. */
static void
ask(int fd, const char *method, const char *job, gboolean more)
{
    g_autofree char *name = g_strconcat("org.example.test.", method, NULL);
    json_auto_t *call = json_pack("{s:s, s:b}", "method", name, "more", more);

    if (job)
        json_object_set_new(call, "parameters", json_pack("{s:s}", "job", job));
    char *text = json_dumps(call, 0);
    peer_send(fd, text);
    free(text);
}

/* The next reply, which has @key among its parameters. */
static json_t *
take(int fd, const char *key, gboolean continues)
{
    g_autofree char *text = peer_receive(fd);
    json_t *reply = json_loads(text, 0, NULL);

    g_test_message("%s", text);
    g_assert_nonnull(json_object_get(json_object_get(reply, "parameters"), key));
    g_assert_true(continues == json_is_true(json_object_get(reply, "continues")));
    return reply;
}

static char *
job_of(const json_t *reply)
{
    return g_strdup(
        json_string_value(json_object_get(json_object_get(reply, "parameters"), "job")));
}

static void
assert_error(int fd, const char *name)
{
    json_auto_t *reply = take(fd, "cause", FALSE);

    g_assert_cmpstr(json_string_value(json_object_get(reply, "error")), ==, name);
}

static void
test_watcher_sees_id_progress_and_result(Service *service, gconstpointer unused)
{
    int fd = peer_connect(&service->serving);

    ask(fd, "Start", NULL, TRUE);
    json_auto_t *first = take(fd, "job", TRUE);
    json_auto_t *progress = take(fd, "progress", TRUE);
    gate_open(&service->gate);
    json_auto_t *last = take(fd, "result", FALSE);
    g_autofree char *id = job_of(first);
    g_autofree char *same = job_of(last);
    g_assert_cmpstr(id, ==, same);
    close(fd);
}

static void
test_job_goes_on_without_its_watcher(Service *service, gconstpointer unused)
{
    int fd = peer_connect(&service->serving);

    ask(fd, "Start", NULL, TRUE);
    json_auto_t *first = take(fd, "job", TRUE);
    g_autofree char *id = job_of(first);
    close(fd);

    fd = peer_connect(&service->serving);
    ask(fd, "WatchJob", id, TRUE);
    json_auto_t *again = take(fd, "job", TRUE);
    gate_open(&service->gate);
    json_auto_t *progress = take(fd, "progress", TRUE);
    json_auto_t *last = take(fd, "result", FALSE);
    ask(fd, "WatchJob", id, TRUE);
    json_auto_t *late = take(fd, "job", TRUE);
    json_auto_t *remembered = take(fd, "result", FALSE);
    close(fd);
}

static void
test_without_more_the_id_is_all(Service *service, gconstpointer unused)
{
    int fd = peer_connect(&service->serving);

    ask(fd, "Start", NULL, FALSE);
    json_auto_t *reply = take(fd, "job", FALSE);
    ask(fd, "ListJobs", NULL, FALSE);
    json_auto_t *list = take(fd, "jobs", FALSE);
    json_t *jobs = json_object_get(json_object_get(list, "parameters"), "jobs");
    const char *kind, *state;
    g_assert_cmpuint(json_array_size(jobs), ==, 1);
    g_assert_cmpint(
        json_unpack(json_array_get(jobs, 0), "{s:s, s:s}", "kind", &kind, "state", &state), ==, 0);
    g_assert_cmpstr(kind, ==, "Start");
    g_assert_cmpstr(state, ==, "running");
    close(fd);
}

static void
test_cancelled_job_ends_its_watcher_with_its_error(Service *service, gconstpointer unused)
{
    int watcher = peer_connect(&service->serving);
    int other = peer_connect(&service->serving);

    ask(watcher, "Start", NULL, TRUE);
    json_auto_t *first = take(watcher, "job", TRUE);
    json_auto_t *progress = take(watcher, "progress", TRUE);
    g_autofree char *id = job_of(first);
    for (int repeat = 0; repeat < 2; repeat++) {
        ask(other, "CancelJob", id, FALSE);
        peer_assert_reply(other, "{\"parameters\":{}}");
    }
    assert_error(watcher, "org.example.test.Cancelled");
    ask(other, "WatchJob", "no such", TRUE);
    assert_error(other, "org.example.test.JobNotFound");
    close(watcher);
    close(other);
}

static void
test_last_ended_jobs_are_remembered(Service *service, gconstpointer unused)
{
    g_autofree char *oldest = NULL, *second = NULL;
    int fd = peer_connect(&service->serving);

    for (int i = 0; i < LIMIT_JOBS_FINISHED + 1; i++) {
        g_autoptr(Job) job =
            job_start(service->registry, "Short", NULL, end_at_once, NULL, NULL, NULL);
        json_decref(job_wait(job, NULL));
        if (i < 2)
            *(i == 0 ? &oldest : &second) = g_strdup(job_id(job));
    }
    ask(fd, "CancelJob", oldest, FALSE);
    assert_error(fd, "org.example.test.JobNotFound");
    ask(fd, "CancelJob", second, FALSE);
    peer_assert_reply(fd, "{\"parameters\":{}}");
    close(fd);
}

static gsize
count_listed(Service *service)
{
    int fd = peer_connect(&service->serving);

    ask(fd, "ListJobs", NULL, FALSE);
    json_auto_t *reply = take(fd, "jobs", FALSE);
    close(fd);
    return json_array_size(json_object_get(json_object_get(reply, "parameters"), "jobs"));
}

static void
test_few_are_listed_at_once_and_many_by_a_worker(Service *service, gconstpointer unused)
{
    for (int i = 1; i <= LIMIT_BRIEF_ENTRIES + 1; i++) {
        gint before = g_atomic_int_get(&service->listed_at_once);
        g_autoptr(Job) job =
            job_start(service->registry, "Short", NULL, end_at_once, NULL, NULL, NULL);
        json_decref(job_wait(job, NULL));
        g_assert_cmpuint(count_listed(service), ==, i);
        gint at_once = g_atomic_int_get(&service->listed_at_once) - before;
        /* The job's thread may still have the lock: then it is a worker's. */
        g_assert_cmpint(at_once, <=, i <= LIMIT_BRIEF_ENTRIES);
    }
}

#define ADD(name, function) g_test_add("/job/" name, Service, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/job/result", test_result_comes_back);
    g_test_add_func("/job/subject", test_one_job_works_on_a_subject);
    g_test_add_func("/job/a-request-waits-for-an-errand", test_a_request_waits_for_an_errand);
    g_test_add_func("/job/an-errand-waits-for-nobody", test_an_errand_waits_for_nobody);
    g_test_add_func("/job/cancel", test_cancelling_reaches_the_job);
    g_test_add_func("/job/registry", test_registry_ends_its_jobs);
    g_test_add_func("/job/end-without-result-or-error-is-a-failure",
                    test_end_without_result_or_error_is_a_failure);
    g_test_add_func("/job/running-jobs-are-limited", test_running_jobs_are_limited);
    g_test_add_func("/job/waiting-for-some-ends-with-them-or-the-deadline",
                    test_waiting_for_some_ends_with_them_or_the_deadline);
    ADD("watcher-sees-id-progress-and-result", test_watcher_sees_id_progress_and_result);
    ADD("job-goes-on-without-its-watcher", test_job_goes_on_without_its_watcher);
    ADD("without-more-the-id-is-all", test_without_more_the_id_is_all);
    ADD("cancelled-job-ends-its-watcher-with-its-error",
        test_cancelled_job_ends_its_watcher_with_its_error);
    ADD("last-ended-jobs-are-remembered", test_last_ended_jobs_are_remembered);
    ADD("few-are-listed-at-once-and-many-by-a-worker",
        test_few_are_listed_at_once_and_many_by_a_worker);
    return g_test_run();
}
