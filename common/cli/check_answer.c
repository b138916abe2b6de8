/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks hosts in threads, and judges what they say. */
#include "common/cli/check_answer.h"

#include "common/check.h"
#include "common/cli/reply.h"
#include "common/fault.h"

#define CALL_SECONDS 10 /* the daemons' own deadline and the way there */
#define DAEMONS      "host.daemons-answer"

void
check_question_clear(CheckQuestion *question)
{
    g_clear_pointer(&question->reply, json_decref);
    g_clear_error(&question->error);
}

static void
add_way(json_t *parameters, const CheckWay *way)
{
    json_object_set_new(parameters, "destination", json_string(way->destination));
    if (way->login)
        json_object_set_new(parameters, "login", json_true());
    if (way->measure_seconds == 0)
        return;
    json_object_set_new(parameters, "measureSeconds", json_integer(way->measure_seconds));
    json_object_set_new(parameters, "bandwidthMebibytes",
                        json_integer((json_int_t)way->bandwidth_mebibytes));
}

static json_t *
parameters_of(const CheckQuestion *question)
{
    json_t *parameters = json_pack("{s:s}", "role", question->role);

    if (question->guest)
        json_object_set_new(parameters, "guest", json_string(question->guest));
    if (question->facts)
        json_object_set(parameters, "facts", question->facts);
    if (question->way)
        add_way(parameters, question->way);
    return parameters;
}

static gpointer
ask(gpointer data)
{
    CheckQuestion *question = data;

    question->error = check_silence_find(question->silence, question->peer, question->service);
    if (question->error)
        return NULL;
    question->reply = peer_call(question->peer,
                                &(PeerCall) { .service = question->service,
                                              .method = "Check",
                                              .parameters = parameters_of(question),
                                              .timeout_seconds = CALL_SECONDS,
                                              .cancellable = question->cancellable },
                                &question->error);
    if (question->error)
        check_silence_note(question->silence, question->peer, question->service, question->error);
    return NULL;
}

void
check_questions_ask(CheckQuestion *questions, gsize count)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new();

    for (gsize i = 0; i < count; i++) {
        GThread *thread = g_thread_try_new("check", ask, &questions[i], NULL);

        if (thread)
            g_ptr_array_add(threads, thread);
        else
            ask(&questions[i]);
    }
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
}

static json_t *
daemon_result(const CheckQuestion *question)
{
    const CheckKind *kind = check_catalogue_find(DAEMONS);
    const GError *error = question->error;
    CheckOutcome outcome = error ? CHECK_UNKNOWN : CHECK_PASSED;
    gboolean missing = error && fault_code(error) == FAULT_DAEMON_UNAVAILABLE;
    const char *remedy = !error ? "" : missing ? kind->remedy : fault_remedy(error);

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "check", kind->id, "title",
                     kind->title, "object", service_daemon(question->service), "severity",
                     check_severity_name(kind->severity), "outcome", check_outcome_name(outcome),
                     "evidence", error ? error->message : "answers", "remedy", remedy, "source",
                     kind->source);
}

/* Only the members that a result has: a later daemon may say more. */
static json_t *
result_of(const CheckQuestion *question, const json_t *told)
{
    static const char *const members[] = { "check",   "title",    "object", "severity",
                                           "outcome", "evidence", "remedy", "source" };
    json_t *result =
        json_pack("{s:s, s:s}", "host", peer_host(question->peer), "role", question->role);

    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        json_object_set_new(result, members[i], json_string(reply_text(told, members[i])));
    return result;
}

json_t *
check_question_results(const CheckQuestion *question)
{
    json_auto_t *daemon = daemon_result(question);
    json_t *results = json_array();
    size_t i;
    json_t *told;

    /* That the daemon answers was said when it was asked about the guest. */
    if (!question->way || question->error)
        json_array_append_new(results, result_of(question, daemon));
    json_array_foreach (json_object_get(question->reply, "results"), i, told)
        json_array_append_new(results, result_of(question, told));
    return results;
}

static CheckVerdict
verdict_of_result(const json_t *result)
{
    const char *outcome = reply_text(result, "outcome");
    const char *severity = reply_text(result, "severity");

    if (g_str_equal(outcome, "passed") || g_str_equal(severity, "information"))
        return CHECK_VERDICT_READY;
    if (g_str_equal(severity, "warning"))
        return CHECK_VERDICT_WARNINGS;
    return g_str_equal(outcome, "failed") ? CHECK_VERDICT_BLOCKED : CHECK_VERDICT_UNKNOWN;
}

CheckVerdict
check_verdict_of(const json_t *results)
{
    CheckVerdict verdict = CHECK_VERDICT_READY;
    size_t i;
    json_t *result;

    json_array_foreach (results, i, result)
        verdict = check_verdict_worse(verdict, verdict_of_result(result));
    return verdict;
}

CheckVerdict
check_verdict_worse(CheckVerdict a, CheckVerdict b)
{
    /* What is known to be blocked is no more a question. */
    if (a == CHECK_VERDICT_BLOCKED || b == CHECK_VERDICT_BLOCKED)
        return CHECK_VERDICT_BLOCKED;
    return MAX(a, b);
}

const char *
check_verdict_name(CheckVerdict verdict)
{
    switch (verdict) {
    case CHECK_VERDICT_READY:
        return "ready";
    case CHECK_VERDICT_WARNINGS:
        return "warnings";
    case CHECK_VERDICT_BLOCKED:
        return "blocked";
    case CHECK_VERDICT_UNKNOWN:
        return "unknown";
    }
    g_return_val_if_reached("unknown");
}
