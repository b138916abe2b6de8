/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/job_endings.h"

/* From a refusal at once to a day of copying disks. */
static const double bounds[] = { 0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400 };

struct JobEndings {
    GMutex lock;
    Tally *outcomes;
    GHashTable *durations; /* kind -> Histogram *, both owned */
};

JobEndings *
job_endings_new(void)
{
    JobEndings *endings = g_new0(JobEndings, 1);

    g_mutex_init(&endings->lock);
    endings->outcomes = tally_new();
    endings->durations =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)histogram_free);
    return endings;
}

void
job_endings_free(JobEndings *endings)
{
    if (!endings)
        return;
    tally_free(endings->outcomes);
    g_hash_table_unref(endings->durations);
    g_mutex_clear(&endings->lock);
    g_free(endings);
}

void
job_endings_note(JobEndings *endings, const char *kind, double seconds, const GError *error)
{
    tally_add(endings->outcomes, kind, error ? fault_code_name(fault_code(error)) : "done");
    g_mutex_lock(&endings->lock);
    Histogram *durations = g_hash_table_lookup(endings->durations, kind);
    if (!durations) {
        durations = histogram_new(bounds, G_N_ELEMENTS(bounds));
        g_hash_table_insert(endings->durations, g_strdup(kind), durations);
    }
    histogram_add(durations, seconds);
    g_mutex_unlock(&endings->lock);
}

void
job_endings_write(JobEndings *endings, OpenMetrics *metrics)
{
    GHashTableIter iter;
    gpointer kind, durations;

    open_metrics_family(metrics, METRIC_COUNTER, "jobs", "Long work that ended, and how");
    open_metrics_tally(metrics, endings->outcomes, "kind", "outcome");
    open_metrics_family(metrics, METRIC_HISTOGRAM, "job_seconds", "How long it took");
    g_mutex_lock(&endings->lock);
    g_hash_table_iter_init(&iter, endings->durations);
    while (g_hash_table_iter_next(&iter, &kind, &durations))
        open_metrics_histogram(metrics, durations, "kind", kind);
    g_mutex_unlock(&endings->lock);
}
