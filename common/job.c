/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads that do long work, and those who wait for it. */
#include "common/job.h"

#include "common/fault.h"
#include "common/job_endings.h"
#include "common/limits.h"

struct JobRegistry {
    GMutex lock; /* guards everything below and every job's changing members */
    GCond changed;
    GQueue jobs;   /* of Job *, owned; oldest first */
    guint running; /* jobs that have not ended */
    JobEndings *endings;
    guint threads; /* of jobs; an ended job's may still be answering its watchers */
};

struct Job {
    gint references;
    JobRegistry *registry;
    char *id;
    char *kind;
    char *subject; /* NULL: none */
    gboolean is_errand;
    Job *after; /* an errand on the same subject, referenced: its end is waited for; or NULL */
    gint64 started_usec;
    GCancellable *cancellable;
    JobRun run;
    void *data;
    GDestroyNotify free_data;
    gboolean ended;
    json_t *progress;    /* the latest; NULL before the first */
    json_t *result;      /* when ended well */
    GError *error;       /* when ended badly */
    GPtrArray *watchers; /* of VarlinkCall *, referenced */
};

JobRegistry *
job_registry_new(void)
{
    JobRegistry *registry = g_new0(JobRegistry, 1);

    g_mutex_init(&registry->lock);
    g_cond_init(&registry->changed);
    g_queue_init(&registry->jobs);
    registry->endings = job_endings_new();
    return registry;
}

Job *
job_ref(Job *job)
{
    g_atomic_int_inc(&job->references);
    return job;
}

void
job_unref(Job *job)
{
    if (!job || !g_atomic_int_dec_and_test(&job->references))
        return;
    g_object_unref(job->cancellable);
    g_ptr_array_unref(job->watchers);
    json_decref(job->progress);
    json_decref(job->result);
    g_clear_error(&job->error);
    job_unref(job->after);
    g_free(job->id);
    g_free(job->kind);
    g_free(job->subject);
    g_free(job);
}

void
job_registry_free(JobRegistry *registry)
{
    if (!registry)
        return;
    g_mutex_lock(&registry->lock);
    for (GList *link = registry->jobs.head; link; link = link->next)
        g_cancellable_cancel(((Job *)link->data)->cancellable);
    while (registry->threads > 0)
        g_cond_wait(&registry->changed, &registry->lock);
    g_mutex_unlock(&registry->lock);
    g_queue_clear_full(&registry->jobs, (GDestroyNotify)job_unref);
    job_endings_free(registry->endings);
    g_mutex_clear(&registry->lock);
    g_cond_clear(&registry->changed);
    g_free(registry);
}

void
job_registry_write_metrics(JobRegistry *registry, OpenMetrics *metrics)
{
    g_mutex_lock(&registry->lock);
    guint running = registry->running;
    g_mutex_unlock(&registry->lock);
    open_metrics_family(metrics, METRIC_GAUGE, "jobs_running", "Long work that is under way");
    open_metrics_sample(metrics, running, NULL);
    job_endings_write(registry->endings, metrics);
}

static void
unref_call(gpointer call)
{
    varlink_call_unref(call);
}

/* Forgets the oldest ended jobs beyond what is remembered. Called with the lock. */
static void
forget_oldest(JobRegistry *registry)
{
    guint ended = registry->jobs.length - registry->running;

    for (GList *link = registry->jobs.head; link && ended > LIMIT_JOBS_FINISHED;) {
        GList *next = link->next;
        Job *job = link->data;
        if (job->ended) {
            g_queue_delete_link(&registry->jobs, link);
            job_unref(job);
            ended--;
        }
        link = next;
    }
}

/* The one final reply to a call that watches @job, which has ended. */
static void
answer(Job *job, VarlinkCall *call)
{
    if (job->error)
        varlink_call_fail(call, g_error_copy(job->error));
    else
        varlink_call_reply(call, json_pack("{s:s, s:O}", "job", job->id, "result", job->result));
}

static void
wait_for_end(Job *job)
{
    g_mutex_lock(&job->registry->lock);
    while (!job->ended)
        g_cond_wait(&job->registry->changed, &job->registry->lock);
    g_mutex_unlock(&job->registry->lock);
}

static gpointer
run_job(gpointer data)
{
    Job *job = data;
    JobRegistry *registry = job->registry;
    g_autoptr(GError) error = NULL;

    if (job->after)
        wait_for_end(job->after);
    json_t *result = job->run(job, job->data, &error);

    if (!result && !error)
        fault_set(&error, FAULT_INTERNAL, job->kind, NULL, "the job ended without a result");
    if (job->free_data)
        job->free_data(job->data);
    gint64 taken_usec = g_get_monotonic_time() - job->started_usec;
    job_endings_note(registry->endings, job->kind, (double)taken_usec / G_USEC_PER_SEC, error);

    g_mutex_lock(&registry->lock);
    job->result = result;
    job->error = g_steal_pointer(&error);
    job->ended = TRUE;
    registry->running--;
    g_autoptr(GPtrArray) watchers = g_steal_pointer(&job->watchers);
    job->watchers = g_ptr_array_new();
    forget_oldest(registry);
    g_cond_broadcast(&registry->changed);
    g_mutex_unlock(&registry->lock);

    for (guint i = 0; i < watchers->len; i++)
        answer(job, watchers->pdata[i]);
    job_unref(job);
    /* Last: who waits for the end of all threads frees the registry. */
    g_mutex_lock(&registry->lock);
    registry->threads--;
    g_cond_broadcast(&registry->changed);
    g_mutex_unlock(&registry->lock);
    return NULL;
}

/* The latest: one that waits for an errand speaks for both. Called with the lock. */
static Job *
running_on(JobRegistry *registry, const char *subject)
{
    for (GList *link = registry->jobs.tail; subject && link; link = link->prev) {
        Job *job = link->data;
        if (!job->ended && g_strcmp0(job->subject, subject) == 0)
            return job;
    }
    return NULL;
}

/* Called with the lock. */
static gboolean
may_start(JobRegistry *registry, const char *kind, const char *subject, const Job *other,
          GError **error)
{
    if (other) {
        fault_set(error, FAULT_GUEST_BUSY, subject, "wait for that job, or cancel it",
                  "job %s (%s) is at work on it", other->id, other->kind);
        return FALSE;
    }
    if (registry->running >= LIMIT_JOBS) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, kind, "wait until some have ended",
                  "%d jobs are running", LIMIT_JOBS);
        return FALSE;
    }
    return TRUE;
}

static Job *
start(JobRegistry *registry, const Job *pattern, GError **error)
{
    g_mutex_lock(&registry->lock);
    Job *other = running_on(registry, pattern->subject);
    Job *errand = other && other->is_errand && !pattern->is_errand ? other : NULL;
    if (!may_start(registry, pattern->kind, pattern->subject, errand ? NULL : other, error)) {
        g_mutex_unlock(&registry->lock);
        if (pattern->free_data)
            pattern->free_data(pattern->data);
        return NULL;
    }
    Job *job = g_memdup2(pattern, sizeof *pattern);
    job->references = 3; /* the registry's, the thread's and the caller's */
    job->registry = registry;
    job->id = g_uuid_string_random();
    job->kind = g_strdup(pattern->kind);
    job->subject = g_strdup(pattern->subject);
    job->after = errand ? job_ref(errand) : NULL;
    job->started_usec = g_get_monotonic_time();
    job->cancellable = g_cancellable_new();
    job->watchers = g_ptr_array_new_with_free_func(unref_call);
    g_queue_push_tail(&registry->jobs, job);
    registry->running++;
    registry->threads++;
    g_mutex_unlock(&registry->lock);
    g_thread_unref(g_thread_new("job", run_job, job));
    return job;
}

Job *
job_start(JobRegistry *registry, const char *kind, const char *subject, JobRun run, void *data,
          GDestroyNotify free_data, GError **error)
{
    Job pattern = { .kind = (char *)kind,
                    .subject = (char *)subject,
                    .run = run,
                    .data = data,
                    .free_data = free_data };

    return start(registry, &pattern, error);
}

Job *
job_start_errand(JobRegistry *registry, const char *kind, const char *subject, JobRun run,
                 void *data, GDestroyNotify free_data, GError **error)
{
    Job pattern = { .kind = (char *)kind,
                    .subject = (char *)subject,
                    .is_errand = TRUE,
                    .run = run,
                    .data = data,
                    .free_data = free_data };

    return start(registry, &pattern, error);
}

const char *
job_id(const Job *job)
{
    return job->id;
}

GCancellable *
job_cancellable(Job *job)
{
    return job->cancellable;
}

static json_t *
progress_reply(const Job *job)
{
    return json_pack("{s:s, s:O}", "job", job->id, "progress", job->progress);
}

void
job_progress(Job *job, json_t *progress)
{
    g_mutex_lock(&job->registry->lock);
    json_decref(job->progress);
    job->progress = progress;
    /* Under the lock, so that no watcher sees progress after its final reply. */
    for (guint i = 0; i < job->watchers->len; i++)
        varlink_call_notify(job->watchers->pdata[i], progress_reply(job));
    g_mutex_unlock(&job->registry->lock);
}

json_t *
job_wait(Job *job, GError **error)
{
    JobRegistry *registry = job->registry;

    g_mutex_lock(&registry->lock);
    while (!job->ended)
        g_cond_wait(&registry->changed, &registry->lock);
    json_t *result = json_incref(job->result);
    if (job->error)
        g_propagate_error(error, g_error_copy(job->error));
    g_mutex_unlock(&registry->lock);
    return result;
}

/* Called with the lock. */
static void
drop_ended(GPtrArray *jobs)
{
    for (guint i = jobs->len; i-- > 0;) {
        if (((const Job *)jobs->pdata[i])->ended)
            g_ptr_array_remove_index_fast(jobs, i);
    }
}

void
job_await_fewer(JobRegistry *registry, GPtrArray *jobs, guint most, gint64 deadline_usec)
{
    g_mutex_lock(&registry->lock);
    drop_ended(jobs);
    while (jobs->len > most &&
           g_cond_wait_until(&registry->changed, &registry->lock, deadline_usec))
        drop_ended(jobs);
    g_mutex_unlock(&registry->lock);
}

/* Forgets watchers that went away, so that no job collects them. Called with the lock. */
static void
forget_closed(Job *job)
{
    for (guint i = job->watchers->len; i-- > 0;) {
        if (varlink_call_is_closed(job->watchers->pdata[i]))
            g_ptr_array_remove_index_fast(job->watchers, i);
    }
}

void
job_serve(Job *job, VarlinkCall *call)
{
    if (!varlink_call_wants_more(call)) {
        varlink_call_reply(call, json_pack("{s:s}", "job", job->id));
        return;
    }
    varlink_call_notify(call, json_pack("{s:s}", "job", job->id));
    g_mutex_lock(&job->registry->lock);
    gboolean ended = job->ended;
    if (!ended) {
        if (job->progress)
            varlink_call_notify(call, progress_reply(job));
        forget_closed(job);
        g_ptr_array_add(job->watchers, varlink_call_ref(call));
    }
    g_mutex_unlock(&job->registry->lock);
    if (ended)
        answer(job, call);
}

Job *
job_registry_find_subject(JobRegistry *registry, const char *subject)
{
    g_mutex_lock(&registry->lock);
    Job *job = running_on(registry, subject);
    if (job)
        job_ref(job);
    g_mutex_unlock(&registry->lock);
    return job;
}

/* The handlers' context starts with the registry. */
static JobRegistry *
registry_of(void *context)
{
    return *(JobRegistry **)context;
}

static json_t *
describe(const Job *job)
{
    const char *state = !job->ended ? "running" : job->error ? "failed" : "done";
    gint64 age_usec = g_get_monotonic_time() - job->started_usec;

    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "job", job->id, "kind", job->kind, "subject",
                     job->subject ? job->subject : "", "state", state, "startedSecondsAgo",
                     (json_int_t)(age_usec / G_USEC_PER_SEC));
}

/* Called with the lock. */
static json_t *
describe_all(const JobRegistry *registry)
{
    json_t *jobs = json_array();

    for (GList *link = registry->jobs.head; link; link = link->next)
        json_array_append_new(jobs, describe(link->data));
    return json_pack("{s:o}", "jobs", jobs);
}

void
job_method_list(VarlinkCall *call, json_t *parameters, void *context)
{
    JobRegistry *registry = registry_of(context);

    g_mutex_lock(&registry->lock);
    json_t *jobs = describe_all(registry);
    g_mutex_unlock(&registry->lock);
    varlink_call_reply(call, jobs);
}

/* Whoever has the lock may be telling many watchers. */
gboolean
job_method_list_at_once(VarlinkCall *call, json_t *parameters, void *context)
{
    JobRegistry *registry = registry_of(context);

    if (!g_mutex_trylock(&registry->lock))
        return FALSE;
    gboolean few = registry->jobs.length <= LIMIT_BRIEF_ENTRIES;
    json_t *jobs = few ? describe_all(registry) : NULL;
    g_mutex_unlock(&registry->lock);
    if (few)
        varlink_call_reply(call, jobs);
    return few;
}

/* The job that a request names, referenced; or fails the call. */
static Job *
find_job(VarlinkCall *call, const json_t *parameters, JobRegistry *registry)
{
    const char *id = json_string_value(json_object_get(parameters, "job"));
    Job *found = NULL;
    GError *error = NULL;

    g_mutex_lock(&registry->lock);
    for (GList *link = registry->jobs.head; link && !found; link = link->next)
        if (g_strcmp0(((Job *)link->data)->id, id) == 0)
            found = job_ref(link->data);
    g_mutex_unlock(&registry->lock);
    if (!found) {
        g_autofree char *object = g_strdup_printf("job '%s'", id);
        fault_set(&error, FAULT_JOB_NOT_FOUND, object, "list the jobs with: migprep status",
                  "no such job; only the last %d ended ones are remembered", LIMIT_JOBS_FINISHED);
        varlink_call_fail(call, error);
    }
    return found;
}

void
job_method_watch(VarlinkCall *call, json_t *parameters, void *context)
{
    g_autoptr(Job) job = find_job(call, parameters, registry_of(context));

    if (job)
        job_serve(job, call);
}

void
job_method_cancel(VarlinkCall *call, json_t *parameters, void *context)
{
    g_autoptr(Job) job = find_job(call, parameters, registry_of(context));

    if (!job)
        return;
    g_cancellable_cancel(job->cancellable);
    varlink_call_reply(call, NULL);
}
