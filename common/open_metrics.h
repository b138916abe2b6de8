/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes OpenMetrics text (github.com/prometheus/OpenMetrics, 1.0): one family after the other. */
#pragma once

#include "common/tally.h"

typedef struct OpenMetrics OpenMetrics;

/* @prefix goes before the name of each family: "netprep". */
OpenMetrics *open_metrics_new(const char *prefix);
void open_metrics_free(OpenMetrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpenMetrics, open_metrics_free)

typedef enum {
    METRIC_GAUGE,
    METRIC_COUNTER, /* its samples' names end in _total */
    METRIC_INFO,    /* its samples' names end in _info */
    METRIC_HISTOGRAM,
} MetricType;

/* Begins a family; samples belong to the last one. @help is a sentence without its full stop. */
void open_metrics_family(OpenMetrics *metrics, MetricType type, const char *name, const char *help);

/* A sample. The rest are names and values of labels, ending with NULL; a value may be any UTF-8. */
void open_metrics_sample(OpenMetrics *metrics, double value, ...) G_GNUC_NULL_TERMINATED;
/* All counts of @tally, with its two words as the labels @what and @how (NULL: left out). */
void open_metrics_tally(OpenMetrics *metrics, Tally *tally, const char *what, const char *how);

/* The whole text, with its end mark. Owned by the caller; @metrics is empty afterwards. */
char *open_metrics_finish(OpenMetrics *metrics);

/* How often something took how long, or was how large; cumulative. Thread-safe. */
typedef struct Histogram Histogram;
/* @bounds are the upper ends of its buckets, rising; one without end is added. Copied. */
Histogram *histogram_new(const double *bounds, guint count);
void histogram_free(Histogram *histogram);
void histogram_add(Histogram *histogram, double value);
/* All samples of @histogram, with the label @name (NULL: none). */
void open_metrics_histogram(OpenMetrics *metrics, Histogram *histogram, const char *name,
                            const char *value);
