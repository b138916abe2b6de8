/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the judgement of checks before a move. */
#include "common/cli/gate.h"

#include "common/check_catalogue.h"
#include "common/cli/check_survey.h"
#include "common/cli/reply.h"
#include "common/fault.h"

gboolean
gate_check_forced(const char *const *ids, GError **error)
{
    for (gsize i = 0; ids && ids[i]; i++) {
        const CheckKind *kind = check_catalogue_find(ids[i]);

        if (kind && !kind->loses_data)
            continue;
        g_autofree char *object = g_strdup_printf("option --force %s", ids[i]);
        fault_set(error, FAULT_INVALID_ARGUMENT, object, "see 'migprep check --catalogue'",
                  kind ? "guards the guest's data, so that nobody may override it"
                       : "names no check");
        return FALSE;
    }
    return TRUE;
}

static gboolean
is_forced(const Gate *gate, const char *id)
{
    const CheckKind *kind = check_catalogue_find(id);

    if (gate->forced && g_strv_contains(gate->forced, id))
        return TRUE;
    return gate->set_up_bond && kind && kind->fault == FAULT_BOND_UNFIT;
}

static void
note_checks(const json_t *result, const char *checks, const MoveObserver *observer, void *data)
{
    const char *remedy = reply_text(result, "remedy");
    g_autofree char *sentence = g_strdup_printf(
        "%s, %s on %s: %s%s%s", checks, reply_text(result, "object"), reply_text(result, "host"),
        reply_text(result, "evidence"), *remedy ? "; " : "", remedy);

    observer->note(sentence, data);
}

static void
note(const json_t *result, const char *prefix, const MoveObserver *observer, void *data)
{
    g_autofree char *check = g_strdup_printf("%s %s", prefix, reply_text(result, "check"));

    note_checks(result, check, observer, data);
}

/* What a host that is slow or silent leaves open has one reason: it is told once. */
static gboolean
is_like(const json_t *a, const json_t *b)
{
    return g_str_equal(reply_text(a, "host"), reply_text(b, "host")) &&
           g_str_equal(reply_text(a, "evidence"), reply_text(b, "evidence"));
}

static void
note_unknown(const json_t *first, guint others, const MoveObserver *observer, void *data)
{
    g_autofree char *checks =
        g_strdup_printf("not known: %s and %u more checks", reply_text(first, "check"), others);

    if (others)
        note_checks(first, checks, observer, data);
    else
        note(first, "not known:", observer, data);
}

/* @unknown: of borrowed json_t *. */
static void
note_all_unknown(GPtrArray *unknown, const MoveObserver *observer, void *data)
{
    while (unknown->len > 0) {
        const json_t *first = unknown->pdata[0];
        guint others = 0;

        for (guint i = unknown->len; --i > 0;) {
            if (is_like(first, unknown->pdata[i])) {
                g_ptr_array_remove_index(unknown, i);
                others++;
            }
        }
        note_unknown(first, others, observer, data);
        g_ptr_array_remove_index(unknown, 0);
    }
}

/* A later daemon may know checks that this command does not. */
static FaultCode
code_of(const char *id)
{
    const CheckKind *kind = check_catalogue_find(id);

    return kind && kind->fault ? kind->fault : FAULT_CHECK_FAILED;
}

static void
set_error(const json_t *result, GError **error)
{
    const char *id = reply_text(result, "check");
    const CheckKind *kind = check_catalogue_find(id);
    gboolean final = !kind || kind->loses_data;
    g_autofree char *object =
        g_strdup_printf("%s on %s", reply_text(result, "object"), reply_text(result, "host"));
    g_autofree char *remedy =
        g_strdup_printf("%s%s%s%s", reply_text(result, "remedy"), final ? "" : " (or --force ",
                        final ? "" : id, final ? "" : ")");

    fault_set(error, code_of(id), object, remedy, "%s", reply_text(result, "evidence"));
}

/* FALSE: @result stops the move. One that is not known is added to @unknown. */
static gboolean
judge(const Gate *gate, json_t *result, GPtrArray *unknown, gboolean first,
      const MoveObserver *observer, void *data, GError **error)
{
    const char *outcome = reply_text(result, "outcome");
    const char *severity = reply_text(result, "severity");

    if (g_str_equal(outcome, "passed") || g_str_equal(severity, "information"))
        return TRUE;
    if (is_forced(gate, reply_text(result, "check"))) {
        note(result, "overridden:", observer, data);
    } else if (g_str_equal(outcome, "unknown")) {
        g_ptr_array_add(unknown, result);
    } else if (g_str_equal(severity, "warning")) {
        note(result, "warning:", observer, data);
    } else if (first) {
        set_error(result, error);
        return FALSE;
    } else {
        note(result, "also:", observer, data);
        return FALSE;
    }
    return TRUE;
}

struct GateInquiry {
    Gate gate;
    GThread *thread; /* NULL: it has ended, or there was none to be had */
    CheckSurvey *survey;
};

static void *
ask(void *data)
{
    GateInquiry *inquiry = data;
    const Gate *gate = &inquiry->gate;
    g_autoptr(GPtrArray) destinations = g_ptr_array_new();

    g_ptr_array_add(destinations, gate->destination);
    inquiry->survey = check_survey_guest(&(CheckPlan) { .source = gate->source,
                                                        .destinations = destinations,
                                                        .disk_paths = gate->disk_paths,
                                                        .login_known = gate->login_known,
                                                        .cancellable = gate->cancellable },
                                         gate->guest);
    return NULL;
}

GateInquiry *
gate_inquire(const Gate *gate)
{
    GateInquiry *inquiry = g_new0(GateInquiry, 1);

    inquiry->gate = *gate;
    inquiry->thread = g_thread_try_new("gate", ask, inquiry, NULL);
    return inquiry;
}

static void
await(GateInquiry *inquiry)
{
    if (inquiry->thread)
        g_thread_join(g_steal_pointer(&inquiry->thread));
}

void
gate_inquiry_free(GateInquiry *inquiry)
{
    if (!inquiry)
        return;
    await(inquiry);
    check_survey_free(inquiry->survey);
    g_free(inquiry);
}

gboolean
gate_pass(GateInquiry *inquiry, const MoveObserver *observer, void *data, GError **error)
{
    const Gate *gate = &inquiry->gate;
    g_autoptr(GPtrArray) unknown = g_ptr_array_new();
    gboolean pass = TRUE;
    size_t i;
    json_t *result;

    await(inquiry);
    if (g_cancellable_is_cancelled(gate->cancellable))
        return TRUE;
    if (!inquiry->survey)
        ask(inquiry);
    if (inquiry->survey->failure) {
        g_propagate_error(error, g_steal_pointer(&inquiry->survey->failure));
        return FALSE;
    }
    json_array_foreach (inquiry->survey->results, i, result)
        pass = judge(gate, result, unknown, pass, observer, data, error) && pass;
    note_all_unknown(unknown, observer, data);
    return pass;
}
