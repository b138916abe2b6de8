/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Long work: a thread each, listed, watched and cancelled by id. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

#include "common/open_metrics.h"
#include "common/varlink_server.h"

typedef struct JobRegistry JobRegistry;
typedef struct Job Job; /* reference-counted */

/* Runs in the job's own thread and may block. Returns the result object (owned by the job) or NULL
 * with @error; must have undone what it did before it returns NULL. */
typedef json_t *(*JobRun)(Job *job, void *data, GError **error);

/* A registry without jobs. */
JobRegistry *job_registry_new(void);
/* Families jobs_running, and those of common/job_endings.h. */
void job_registry_write_metrics(JobRegistry *registry, OpenMetrics *metrics);
/* Cancels every running job and waits for its end. */
void job_registry_free(JobRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobRegistry, job_registry_free)

/*
 * Starts a job. @kind is the method's name ("Detach"), @subject what it works on (a lease or guest
 * UUID): one running job per subject, else FAULT_GUEST_BUSY naming the running one. NULL @subject:
 * no such rule. FAULT_LIMIT_EXCEEDED beyond LIMIT_JOBS. Returns a reference.
 */
Job *job_start(JobRegistry *registry, const char *kind, const char *subject, JobRun run, void *data,
               GDestroyNotify free_data, GError **error);
/* The same for what the daemon does unasked, which must not make a caller's request fail: a job
 * that job_start() puts on the same subject waits for the errand's end instead of being refused,
 * and only then runs. An errand itself is refused as any other. */
Job *job_start_errand(JobRegistry *registry, const char *kind, const char *subject, JobRun run,
                      void *data, GDestroyNotify free_data, GError **error);
Job *job_ref(Job *job);
void job_unref(Job *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Job, job_unref)

/* The job's UUID, and what CancelJob triggers. Borrowed. */
const char *job_id(const Job *job);
GCancellable *job_cancellable(Job *job);
/* Publishes where the job is: {step, since...}; @progress stolen. For watchers with `more`. */
void job_progress(Job *job, json_t *progress);
/* Blocks until the job ended; result (new reference) or NULL with a copy of its error. */
json_t *job_wait(Job *job, GError **error);
/* Blocks until no more than @most of @jobs (references, all of @registry) run, but not beyond
 * @deadline_usec of the monotonic clock; drops those that have ended. */
void job_await_fewer(JobRegistry *registry, GPtrArray *jobs, guint most, gint64 deadline_usec);

/*
 * Ties @call to @job: with `more` {job} at once, {job, progress} as it goes, then the final reply
 * {job, result}; without, {job} at once as the final reply. The job goes on if the peer leaves.
 */
void job_serve(Job *job, VarlinkCall *call);

/* The ListJobs / WatchJob / CancelJob methods, the same in both interfaces; @context passed to the
 * handlers must start with a JobRegistry pointer (struct whose first member is JobRegistry *). */
void job_method_list(VarlinkCall *call, json_t *parameters, void *context);
gboolean job_method_list_at_once(VarlinkCall *call, json_t *parameters, void *context);
void job_method_watch(VarlinkCall *call, json_t *parameters, void *context);
void job_method_cancel(VarlinkCall *call, json_t *parameters, void *context);
/* A running job on @subject, or NULL. Returns a reference. */
Job *job_registry_find_subject(JobRegistry *registry, const char *subject);
