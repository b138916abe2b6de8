/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every check is tried where it holds and where it is broken: a table of what breaks it, and the
 * two tests that each line stands for. */
#pragma once

#include <string.h>

#include "common/check.h"

typedef struct {
    const char *id;
    void (*break_it)(void *world); /* changes a world in which the check holds */
    const char *evidence;          /* what a broken one says, in part */
    void (*prepare)(void *world);  /* makes a world in which the check has a subject; may be NULL */
} CheckCase;

/* Which result of @report is about the check: passed or failed as wanted, with what it says. */
static inline void
check_case_assert(const CheckCase *test, const CheckReport *report, gboolean broken)
{
    CheckOutcome wanted = broken ? CHECK_FAILED : CHECK_PASSED;
    gboolean found = FALSE;

    g_assert_nonnull(report);
    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        if (!g_str_equal(result->kind->id, test->id))
            continue;
        if (!broken)
            g_assert_cmpstr(result->outcome == wanted ? "" : result->evidence, ==, "");
        if (result->outcome != wanted)
            continue;
        found = !broken || strstr(result->evidence, test->evidence);
        if (broken)
            g_assert_cmpstr(result->remedy, !=, "");
    }
    g_assert_true(found);
}

/* Adds "/check/ID/holds" and "/check/ID/broken"; tests/check-catalogue looks for these names. */
static inline void
check_case_add(const CheckCase *test, GTestDataFunc holds, GTestDataFunc broken)
{
    g_autofree char *holding = g_strdup_printf("/check/%s/holds", test->id);
    g_autofree char *breaking = g_strdup_printf("/check/%s/broken", test->id);

    g_test_add_data_func(holding, test, holds);
    g_test_add_data_func(breaking, test, broken);
}
