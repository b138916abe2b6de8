/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/parallel.h"

typedef struct {
    guint index;
    ParallelRun run;
    void *data;
    GError *failure; /* NULL: done */
} Part;

static void *
run_part(void *data)
{
    Part *part = data;

    (void)part->run(part->index, part->data, &part->failure);
    return NULL;
}

/* The first stays in this thread; so does one for which there is no thread to be had. */
static void
run_parts(Part *parts, guint count)
{
    g_autofree GThread **threads = g_new0(GThread *, count);

    for (guint i = 1; i < count; i++)
        threads[i] = g_thread_try_new("part", run_part, &parts[i], NULL);
    for (guint i = 0; i < count; i++) {
        if (!threads[i])
            run_part(&parts[i]);
    }
    for (guint i = 0; i < count; i++) {
        if (threads[i])
            g_thread_join(threads[i]);
    }
}

static gboolean
report(Part *parts, guint count, GError **error)
{
    gboolean failed = FALSE;

    for (guint i = 0; i < count; i++) {
        if (!parts[i].failure)
            continue;
        if (failed) {
            g_warning("%s", parts[i].failure->message);
            g_error_free(parts[i].failure);
        } else {
            g_propagate_error(error, parts[i].failure);
        }
        failed = TRUE;
    }
    return !failed;
}

gboolean
parallel_run(guint count, ParallelRun run, void *data, GError **error)
{
    g_autofree Part *parts = g_new0(Part, count);

    for (guint i = 0; i < count; i++)
        parts[i] = (Part) { .index = i, .run = run, .data = data };
    run_parts(parts, count);
    return report(parts, count, error);
}
