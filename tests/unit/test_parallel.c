/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/fault.h"
#include "common/parallel.h"

#define PARTS 8

typedef struct {
    GMutex lock;
    GCond changed;
    guint begun;
    guint wanted;     /* each waits until so many have begun */
    guint fails_from; /* numbers that fail */
} Work;

static gboolean
meet(guint index, void *data, GError **error)
{
    Work *work = data;

    g_mutex_lock(&work->lock);
    work->begun++;
    g_cond_broadcast(&work->changed);
    while (work->begun < work->wanted)
        g_cond_wait(&work->changed, &work->lock);
    g_mutex_unlock(&work->lock);
    if (index < work->fails_from)
        return TRUE;
    g_autofree char *object = g_strdup_printf("part %u", index);
    fault_set(error, FAULT_INTERNAL, object, NULL, "told to fail");
    return FALSE;
}

static void
test_all_run_at_once(void)
{
    Work work = { .wanted = PARTS, .fails_from = PARTS };
    g_autoptr(GError) error = NULL;

    g_assert_true(parallel_run(PARTS, meet, &work, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(work.begun, ==, PARTS);
}

static void
test_first_failure_is_returned_and_stops_nobody(void)
{
    Work work = { .wanted = PARTS, .fails_from = 2 };
    g_autoptr(GError) error = NULL;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    g_assert_false(parallel_run(PARTS, meet, &work, &error));
    g_assert_cmpstr(fault_object(error), ==, "part 2");
    g_assert_cmpuint(work.begun, ==, PARTS);
}

static void
test_nothing_to_do_is_done(void)
{
    g_assert_true(parallel_run(0, meet, NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parallel/all-run-at-once", test_all_run_at_once);
    g_test_add_func("/parallel/first-failure-is-returned-and-stops-nobody",
                    test_first_failure_is_returned_and_stops_nobody);
    g_test_add_func("/parallel/nothing-to-do-is-done", test_nothing_to_do_is_done);
    return g_test_run();
}
