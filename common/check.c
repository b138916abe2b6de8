/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns results and how they are told. */
#include "common/check.h"

#include <string.h>

static void
result_free(gpointer data)
{
    CheckResult *result = data;

    g_free(result->object);
    g_free(result->evidence);
    g_free(result->remedy);
    g_free(result);
}

CheckReport *
check_report_new(void)
{
    CheckReport *report = g_new0(CheckReport, 1);

    report->results = g_ptr_array_new_with_free_func(result_free);
    report->facts = json_object();
    return report;
}

void
check_report_free(CheckReport *report)
{
    if (!report)
        return;
    g_ptr_array_unref(report->results);
    json_decref(report->facts);
    g_free(report);
}

char *
check_word(const char *text)
{
    const char *plain = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-/";

    return *text && strspn(text, plain) == strlen(text) ? g_strdup(text) : g_shell_quote(text);
}

static char *
name_guest(const CheckReport *report, const char *remedy)
{
    g_auto(GStrv) parts = g_strsplit(remedy, "GUEST", -1);
    g_autofree char *word = check_word(report->guest ? report->guest : "GUEST");

    return g_strjoinv(word, parts);
}

G_GNUC_PRINTF(5, 0)
static void
add(CheckReport *report, const char *object, CheckOutcome outcome, const char *remedy,
    const char *evidence, va_list arguments)
{
    CheckResult *result = g_new0(CheckResult, 1);

    g_return_if_fail(report->kind);
    result->kind = report->kind;
    result->object = g_strdup(object);
    result->outcome = outcome;
    result->evidence = g_strdup_vprintf(evidence, arguments);
    result->remedy = name_guest(report, remedy);
    g_ptr_array_add(report->results, result);
}

void
check_pass(CheckReport *report, const char *object, const char *evidence, ...)
{
    va_list arguments;

    va_start(arguments, evidence);
    add(report, object, CHECK_PASSED, "", evidence, arguments);
    va_end(arguments);
}

void
check_fail(CheckReport *report, const char *object, const char *remedy, const char *evidence, ...)
{
    va_list arguments;

    va_start(arguments, evidence);
    add(report, object, CHECK_FAILED, remedy ? remedy : report->kind->remedy, evidence, arguments);
    va_end(arguments);
}

void
check_fail_advised(CheckReport *report, const char *object, const char *advice,
                   const char *evidence, ...)
{
    const char *end = strstr(report->kind->remedy, "  #");
    g_autofree char *command =
        end ? g_strndup(report->kind->remedy, (gsize)(end - report->kind->remedy))
            : g_strdup(report->kind->remedy);
    g_autofree char *remedy = g_strdup_printf("%s  # %s", command, advice);
    va_list arguments;

    va_start(arguments, evidence);
    add(report, object, CHECK_FAILED, *advice ? remedy : report->kind->remedy, evidence, arguments);
    va_end(arguments);
}

void
check_unknown(CheckReport *report, const char *object, const char *evidence, ...)
{
    va_list arguments;

    va_start(arguments, evidence);
    add(report, object, CHECK_UNKNOWN, "", evidence, arguments);
    va_end(arguments);
}

void
check_fact(CheckReport *report, const char *name, json_t *value)
{
    json_object_set_new(report->facts, name, value);
}

void
check_report_take(CheckReport *report, CheckReport *from)
{
    g_ptr_array_extend_and_steal(report->results, g_steal_pointer(&from->results));
    from->results = g_ptr_array_new_with_free_func(result_free);
    json_object_update(report->facts, from->facts);
    json_object_clear(from->facts);
}

const CheckResult *
check_report_find(const CheckReport *report, const char *id, const char *object)
{
    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        if (g_str_equal(result->kind->id, id) && (!object || g_str_equal(result->object, object)))
            return result;
    }
    return NULL;
}

const char *
check_outcome_name(CheckOutcome outcome)
{
    switch (outcome) {
    case CHECK_PASSED:
        return "passed";
    case CHECK_FAILED:
        return "failed";
    case CHECK_UNKNOWN:
        return "unknown";
    }
    g_return_val_if_reached("unknown");
}

/* Texts of guests and other hosts may be in it; JSON takes valid UTF-8 only. */
static json_t *
text(const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    return json_string(valid);
}

static json_t *
result_to_json(const CheckResult *result)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:s}", "check", result->kind->id, "title",
                     result->kind->title, "object", text(result->object), "severity",
                     check_severity_name(result->kind->severity), "outcome",
                     check_outcome_name(result->outcome), "evidence", text(result->evidence),
                     "remedy", text(result->remedy), "source", result->kind->source);
}

static json_t *
list_invalidations(const CheckReport *report)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    json_t *list = json_array();

    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        if (g_hash_table_add(seen, (char *)result->kind->invalidated_by))
            json_array_append_new(list, json_string(result->kind->invalidated_by));
    }
    return list;
}

json_t *
check_report_to_json(const CheckReport *report)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    json_t *results = json_array();

    for (guint i = 0; i < report->results->len; i++)
        json_array_append_new(results, result_to_json(report->results->pdata[i]));
    return json_pack("{s:o, s:s, s:o, s:O}", "results", results, "checkedAt", time, "invalidatedBy",
                     list_invalidations(report), "facts", report->facts);
}
