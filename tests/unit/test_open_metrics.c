/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics are written as the specification has them, and count what happened. */
#include <string.h>

#include "common/job_endings.h"
#include "common/limits.h"
#include "common/open_metrics.h"

static void
test_families_and_samples(void)
{
    g_autoptr(OpenMetrics) metrics = open_metrics_new("x");

    open_metrics_family(metrics, METRIC_GAUGE, "leases", "Leases");
    open_metrics_sample(metrics, 2, "kind", "a", "state", "b", NULL);
    open_metrics_family(metrics, METRIC_COUNTER, "jobs", "Jobs");
    open_metrics_sample(metrics, 1.5, NULL);
    g_autofree char *text = open_metrics_finish(metrics);
    g_assert_cmpstr(text, ==,
                    "# TYPE x_leases gauge\n# HELP x_leases Leases.\n"
                    "x_leases{kind=\"a\",state=\"b\"} 2\n"
                    "# TYPE x_jobs counter\n# HELP x_jobs Jobs.\nx_jobs_total 1.5\n# EOF\n");
}

static void
test_values_of_labels_are_escaped(void)
{
    g_autoptr(OpenMetrics) metrics = open_metrics_new("x");

    open_metrics_family(metrics, METRIC_INFO, "build", "Build");
    open_metrics_sample(metrics, 1, "version", "a\"b\\c\nd", NULL);
    g_autofree char *text = open_metrics_finish(metrics);
    g_assert_true(g_str_has_suffix(text, "x_build_info{version=\"a\\\"b\\\\c\\nd\"} 1\n# EOF\n"));
}

static void
test_histogram_is_cumulative(void)
{
    static const double bounds[] = { 0.1, 1 };
    g_autoptr(OpenMetrics) metrics = open_metrics_new("x");
    Histogram *histogram = histogram_new(bounds, G_N_ELEMENTS(bounds));

    histogram_add(histogram, 0.05);
    histogram_add(histogram, 0.1);
    histogram_add(histogram, 0.5);
    histogram_add(histogram, 5);
    open_metrics_family(metrics, METRIC_HISTOGRAM, "s", "Seconds");
    open_metrics_histogram(metrics, histogram, "kind", "k");
    histogram_free(histogram);
    g_autofree char *text = open_metrics_finish(metrics);
    g_assert_true(g_str_has_suffix(text, "x_s_bucket{kind=\"k\",le=\"0.1\"} 2\n"
                                         "x_s_bucket{kind=\"k\",le=\"1\"} 3\n"
                                         "x_s_bucket{kind=\"k\",le=\"+Inf\"} 4\n"
                                         "x_s_count{kind=\"k\"} 4\n"
                                         "x_s_sum{kind=\"k\"} 5.6500000000000004\n# EOF\n"));
}

static void
count_pairs(const char *what, const char *how, guint64 count, void *data)
{
    *(guint64 *)data += count;
}

static void
test_tally_is_bounded(void)
{
    g_autoptr(Tally) tally = tally_new();
    guint64 total = 0;

    for (int i = 0; i < LIMIT_TALLY + 10; i++) {
        g_autofree char *name = g_strdup_printf("method%d", i);
        tally_add(tally, name, "Internal");
    }
    tally_add(tally, "method0", "Internal");
    tally_each(tally, count_pairs, &total);
    g_assert_cmpuint(total, ==, LIMIT_TALLY + 1);
}

static void
test_endings_tell_done_from_faults(void)
{
    g_autoptr(OpenMetrics) metrics = open_metrics_new("x");
    g_autoptr(GError) error = NULL;
    JobEndings *endings = job_endings_new();

    fault_set(&error, FAULT_UNPLUG_TIMED_OUT, "guest 'web1'", NULL, "slow");
    job_endings_note(endings, "Detach", 2, NULL);
    job_endings_note(endings, "Detach", 30, error);
    job_endings_note(endings, "Detach", 3, NULL);
    job_endings_write(endings, metrics);
    job_endings_free(endings);
    g_autofree char *text = open_metrics_finish(metrics);
    g_assert_nonnull(strstr(text, "x_jobs_total{kind=\"Detach\",outcome=\"done\"} 2\n"));
    g_assert_nonnull(strstr(text, "x_jobs_total{kind=\"Detach\",outcome=\"UnplugTimedOut\"} 1\n"));
    g_assert_nonnull(strstr(text, "x_job_seconds_count{kind=\"Detach\"} 3\n"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/open-metrics/families and samples", test_families_and_samples);
    g_test_add_func("/open-metrics/values of labels are escaped",
                    test_values_of_labels_are_escaped);
    g_test_add_func("/open-metrics/histogram is cumulative", test_histogram_is_cumulative);
    g_test_add_func("/open-metrics/tally is bounded", test_tally_is_bounded);
    g_test_add_func("/open-metrics/endings tell done from faults",
                    test_endings_tell_done_from_faults);
    return g_test_run();
}
