/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the form of checks' results. */
#include "common/cli/check_print.h"

#include <stdio.h>

#include "common/cli/output.h"
#include "common/cli/reply.h"
#include "common/cli/table.h"

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

/* How a result is marked, and in which colour. */
static const char *
mark_of(const json_t *result, const char **ret_colour)
{
    const char *outcome = reply_text(result, "outcome");
    gboolean blocker = g_str_equal(reply_text(result, "severity"), "blocker");

    if (g_str_equal(outcome, "passed")) {
        *ret_colour = GREEN;
        return "ok";
    }
    *ret_colour = blocker ? RED : YELLOW;
    if (g_str_equal(outcome, "unknown"))
        return "unknown";
    return blocker ? "blocks" : "warns";
}

static gboolean
is_passed(const json_t *result)
{
    return g_str_equal(reply_text(result, "outcome"), "passed");
}

/* The same may be found from several sides: at the source, on the way, at the destination. */
static gboolean
is_news(GHashTable *told, const json_t *result, const char *what, const char *words)
{
    return g_hash_table_add(told, g_strdup_printf("%s\n%s\n%s\n%s", reply_text(result, "host"),
                                                  reply_text(result, "check"), what, words));
}

static void
add_row(Table *table, const json_t *result, gboolean colours)
{
    const char *colour = NULL;
    const char *mark = mark_of(result, &colour);

    table_add(table, (const char *const[]) {
                         mark, reply_text(result, "host"), reply_text(result, "check"),
                         reply_text(result, "object"), reply_text(result, "evidence") });
    if (colours)
        table_paint(table, colour);
}

/* What is wrong comes last, where a terminal still shows it. */
static void
print_results(const CheckSurvey *survey, gboolean quiet)
{
    static const char *const titles[] = { "", "HOST", "CHECK", "WHAT", "FOUND", NULL };
    g_autoptr(Table) table = table_new(titles);
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gboolean colours = output_may_colour(stdout);
    size_t i;
    json_t *result;

    for (gboolean wrong = quiet; wrong <= TRUE; wrong++) {
        json_array_foreach (survey->results, i, result) {
            if (is_passed(result) != wrong &&
                is_news(told, result, reply_text(result, "object"), reply_text(result, "evidence")))
                add_row(table, result, colours);
        }
    }
    if (!table_is_empty(table))
        table_print(table, stdout);
}

static void
print_remedies(const CheckSurvey *survey)
{
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t i;
    json_t *result;

    json_array_foreach (survey->results, i, result) {
        const char *remedy = reply_text(result, "remedy");

        if (is_passed(result) || !*remedy || !is_news(told, result, "", remedy))
            continue;
        printf("%s  %s, on %s: %s\n", g_hash_table_size(told) == 1 ? "\nWhat helps:\n" : "",
               reply_text(result, "check"), reply_text(result, "host"), remedy);
    }
}

static const char *
explain(const char *verdict)
{
    if (g_str_equal(verdict, "warnings"))
        return "ready, with warnings";
    return g_str_equal(verdict, "unknown") ? "could not be checked" : verdict;
}

static void
print_verdicts(const CheckSurvey *survey)
{
    size_t i;
    json_t *verdict;

    json_array_foreach (survey->verdicts, i, verdict) {
        const char *host = reply_text(verdict, "destination");
        const char *text = explain(reply_text(verdict, "verdict"));

        if (survey->guest)
            printf("%s%s to %s: %s\n", i ? "" : "\n", survey->guest, host, text);
        else
            printf("%s%s: %s\n", i ? "" : "\n", host, text);
    }
}

void
check_print(const CheckSurvey *survey, gboolean quiet)
{
    print_results(survey, quiet);
    print_remedies(survey);
    if (!quiet)
        print_verdicts(survey);
}
