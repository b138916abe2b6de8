/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a restarted netprepd needs until it has a thousand leases in hand again: recovery prints
 * one JSON object, whose members README.md beside this file explains. Figures only: whether they
 * are good is not judged.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fake/lease_crowd.h"
#include "netprep/reconcile.h"

#define ROUNDS 5

typedef struct {
    double open_msec; /* to open the database */
    double look_msec; /* until each lease was looked at */
    double done_msec; /* until nothing was left to be done */
    double done_cpu_msec;
} Figures;

static double
milliseconds_since(gint64 start)
{
    return (double)(g_get_monotonic_time() - start) / 1000;
}

static double
processor_milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

static int
compare_doubles(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double
median(const double *values)
{
    double sorted[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++)
        sorted[i] = values[i];
    qsort(sorted, ROUNDS, sizeof(double), compare_doubles);
    return sorted[ROUNDS / 2];
}

/* From a killed daemon's database to a daemon at rest. */
static Figures
measure(LeaseCrowd *crowd, unsigned left)
{
    Figures figures = { 0 };
    gint64 start = g_get_monotonic_time();
    double start_cpu = processor_milliseconds();

    lease_crowd_start(crowd);
    figures.open_msec = milliseconds_since(start);
    g_autoptr(Reconciler) reconciler = reconciler_new(crowd->host);
    reconcile_now(reconciler, NULL);
    figures.look_msec = milliseconds_since(start);
    lease_crowd_await(crowd, left);
    figures.done_msec = milliseconds_since(start);
    figures.done_cpu_msec = processor_milliseconds() - start_cpu;
    g_clear_pointer(&reconciler, reconciler_free);
    lease_crowd_stop(crowd);
    return figures;
}

static json_t *
run(gboolean expired)
{
    double opens[ROUNDS], looks[ROUNDS], ends[ROUNDS], times[ROUNDS];

    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(LeaseCrowd) crowd = lease_crowd_new(expired ? 0 : 3600);
        Figures figures = measure(crowd, expired ? 0 : CROWD_LEASES);

        opens[round] = figures.open_msec;
        looks[round] = figures.look_msec;
        ends[round] = figures.done_msec;
        times[round] = figures.done_cpu_msec;
    }
    return json_pack("{s:f, s:f, s:f, s:f}", "openMilliseconds", median(opens), "lookMilliseconds",
                     median(looks), "doneMilliseconds", median(ends), "doneProcessorMilliseconds",
                     median(times));
}

static void
quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

int
main(void)
{
    g_log_set_handler("migprep", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, quiet, NULL);
    json_auto_t *figures = json_pack("{s:i, s:o, s:o}", "leases", CROWD_LEASES, "open", run(FALSE),
                                     "expired", run(TRUE));
    g_autofree char *text = json_dumps(figures, JSON_INDENT(2));

    puts(text);
    return 0;
}
