/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the form of metrics. */
#include "common/open_metrics.h"

#include <string.h>

struct OpenMetrics {
    char *prefix;
    char *family; /* the last one, with the prefix */
    MetricType type;
    GString *text;
};

struct Histogram {
    GMutex lock;
    double *bounds;
    guint64 *counts; /* one more than bounds */
    guint buckets;   /* of bounds */
    double sum;
};

static const char *const type_names[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_INFO] = "info",
    [METRIC_HISTOGRAM] = "histogram",
};

OpenMetrics *
open_metrics_new(const char *prefix)
{
    OpenMetrics *metrics = g_new0(OpenMetrics, 1);

    metrics->prefix = g_strdup(prefix);
    metrics->text = g_string_new(NULL);
    return metrics;
}

void
open_metrics_free(OpenMetrics *metrics)
{
    if (!metrics)
        return;
    g_free(metrics->prefix);
    g_free(metrics->family);
    g_string_free(metrics->text, TRUE);
    g_free(metrics);
}

void
open_metrics_family(OpenMetrics *metrics, MetricType type, const char *name, const char *help)
{
    g_free(metrics->family);
    metrics->family = g_strconcat(metrics->prefix, "_", name, NULL);
    metrics->type = type;
    g_string_append_printf(metrics->text, "# TYPE %s %s\n# HELP %s %s.\n", metrics->family,
                           type_names[type], metrics->family, help);
}

/* The specification's escapes. */
static void
append_escaped(GString *text, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            g_string_append_c(text, '\\');
        if (*value == '\n')
            g_string_append(text, "\\n");
        else
            g_string_append_c(text, *value);
    }
}

/* The first label opens the braces. */
static void
append_label(GString *text, gboolean first, const char *name, const char *value)
{
    g_string_append_printf(text, "%c%s=\"", first ? '{' : ',', name);
    append_escaped(text, value);
    g_string_append_c(text, '"');
}

static void
append_number(GString *text, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text, g_ascii_dtostr(number, sizeof number, value));
}

static void
begin_sample(const OpenMetrics *metrics)
{
    const char *suffix = metrics->type == METRIC_COUNTER ? "_total"
                         : metrics->type == METRIC_INFO  ? "_info"
                                                         : "";

    g_string_append_printf(metrics->text, "%s%s", metrics->family, suffix);
}

static void
end_sample(const OpenMetrics *metrics, gboolean has_labels, double value)
{
    g_string_append(metrics->text, has_labels ? "} " : " ");
    append_number(metrics->text, value);
    g_string_append_c(metrics->text, '\n');
}

void
open_metrics_sample(OpenMetrics *metrics, double value, ...)
{
    gboolean first = TRUE;
    va_list labels;

    begin_sample(metrics);
    va_start(labels, value);
    for (const char *name = va_arg(labels, const char *); name;
         name = va_arg(labels, const char *)) {
        append_label(metrics->text, first, name, va_arg(labels, const char *));
        first = FALSE;
    }
    va_end(labels);
    end_sample(metrics, !first, value);
}

typedef struct {
    OpenMetrics *metrics;
    const char *what, *how;
} TallyLabels;

static void
tell_count(const char *what, const char *how, guint64 count, void *data)
{
    const TallyLabels *labels = data;

    open_metrics_sample(labels->metrics, (double)count, labels->what, what, labels->how, how, NULL);
}

void
open_metrics_tally(OpenMetrics *metrics, Tally *tally, const char *what, const char *how)
{
    TallyLabels labels = { metrics, what, how };

    tally_each(tally, tell_count, &labels);
}

char *
open_metrics_finish(OpenMetrics *metrics)
{
    g_string_append(metrics->text, "# EOF\n");
    char *text = g_string_free(metrics->text, FALSE);
    metrics->text = g_string_new(NULL);
    return text;
}

Histogram *
histogram_new(const double *bounds, guint count)
{
    Histogram *histogram = g_new0(Histogram, 1);

    g_mutex_init(&histogram->lock);
    histogram->bounds = g_memdup2(bounds, count * sizeof *bounds);
    histogram->counts = g_new0(guint64, count + 1);
    histogram->buckets = count;
    return histogram;
}

void
histogram_free(Histogram *histogram)
{
    if (!histogram)
        return;
    g_mutex_clear(&histogram->lock);
    g_free(histogram->bounds);
    g_free(histogram->counts);
    g_free(histogram);
}

void
histogram_add(Histogram *histogram, double value)
{
    guint bucket = 0;

    while (bucket < histogram->buckets && value > histogram->bounds[bucket])
        bucket++;
    g_mutex_lock(&histogram->lock);
    histogram->counts[bucket]++;
    histogram->sum += value;
    g_mutex_unlock(&histogram->lock);
}

static void
append_part(const OpenMetrics *metrics, const char *suffix, const char *name, const char *value,
            const char *bound, double number)
{
    g_string_append_printf(metrics->text, "%s_%s", metrics->family, suffix);
    if (name)
        append_label(metrics->text, TRUE, name, value);
    if (bound)
        append_label(metrics->text, !name, "le", bound);
    end_sample(metrics, name || bound, number);
}

void
open_metrics_histogram(OpenMetrics *metrics, Histogram *histogram, const char *name,
                       const char *value)
{
    guint64 count = 0;

    g_mutex_lock(&histogram->lock);
    for (guint i = 0; i <= histogram->buckets; i++) {
        char bound[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";

        count += histogram->counts[i];
        if (i < histogram->buckets)
            g_ascii_formatd(bound, sizeof bound, "%g", histogram->bounds[i]);
        append_part(metrics, "bucket", name, value, bound, (double)count);
    }
    append_part(metrics, "count", name, value, NULL, (double)count);
    append_part(metrics, "sum", name, value, NULL, histogram->sum);
    g_mutex_unlock(&histogram->lock);
}
