/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leads what the source tells to the destinations. */
#include "common/cli/check_survey.h"

#include "common/cli/survey.h"
#include "common/parallel.h"

static CheckSurvey *
survey_new(void)
{
    CheckSurvey *survey = g_new0(CheckSurvey, 1);

    survey->results = json_array();
    survey->verdicts = json_array();
    survey->invalidated_by = json_array();
    return survey;
}

void
check_survey_free(CheckSurvey *survey)
{
    if (!survey)
        return;
    g_free(survey->guest);
    json_decref(survey->results);
    json_decref(survey->verdicts);
    json_decref(survey->invalidated_by);
    for (int service = 0; service < SERVICE_COUNT; service++)
        json_decref(survey->facts[service]);
    g_clear_error(&survey->failure);
    g_free(survey);
}

static gboolean
has_text(const json_t *array, const json_t *text)
{
    size_t i;
    json_t *entry;

    json_array_foreach (array, i, entry) {
        if (json_equal(entry, text))
            return TRUE;
    }
    return FALSE;
}

/* Takes in one answer; adds its results to @results, too. */
static void
take(CheckSurvey *survey, const CheckQuestion *question, json_t *results)
{
    json_auto_t *told = check_question_results(question);
    size_t i;
    json_t *text;

    json_array_extend(results, told);
    json_array_extend(survey->results, told);
    if (question->error && !survey->failure)
        survey->failure = g_error_copy(question->error);
    json_array_foreach (json_object_get(question->reply, "invalidatedBy"), i, text) {
        if (json_is_string(text) && !has_text(survey->invalidated_by, text))
            json_array_append(survey->invalidated_by, text);
    }
}

/* The same of one host's two daemons; its results. */
static json_t *
take_both(CheckSurvey *survey, const CheckQuestion *questions)
{
    json_t *results = json_array();

    for (int service = 0; service < SERVICE_COUNT; service++)
        take(survey, &questions[service], results);
    return results;
}

/* Both daemons of one host. */
static void
prepare(CheckQuestion *questions, Peer *peer, const char *role, const CheckPlan *plan)
{
    for (int service = 0; service < SERVICE_COUNT; service++)
        questions[service] = (CheckQuestion) { .peer = peer,
                                               .service = (Service)service,
                                               .role = role,
                                               .cancellable = plan->cancellable,
                                               .silence = plan->silence };
}

static void
clear(CheckQuestion *questions, gsize count)
{
    for (gsize i = 0; i < count; i++)
        check_question_clear(&questions[i]);
}

static json_t *
facts_of(const CheckQuestion *question)
{
    json_t *facts = json_object_get(question->reply, "facts");

    /* A source that did not answer told nothing: the checks that need it are then unknown. */
    return json_is_object(facts) ? json_incref(facts) : json_object();
}

static void
judge(CheckSurvey *survey, const char *host, CheckVerdict verdict)
{
    json_array_append_new(survey->verdicts, json_pack("{s:s, s:s}", "destination", host, "verdict",
                                                      check_verdict_name(verdict)));
    survey->verdict = check_verdict_worse(survey->verdict, verdict);
}

static void
ask_destinations(const CheckPlan *plan, json_t *const *facts, CheckQuestion *questions)
{
    for (guint i = 0; i < plan->destinations->len; i++) {
        CheckQuestion *both = questions + i * SERVICE_COUNT;

        prepare(both, plan->destinations->pdata[i], "destination", plan);
        for (int service = 0; service < SERVICE_COUNT; service++)
            both[service].facts = facts[service];
    }
    check_questions_ask(questions, plan->destinations->len * SERVICE_COUNT);
}

/* What is asked at once. The destinations wait for what the source tells of the guest, the ways to
 * them for nobody. */
typedef struct {
    const CheckPlan *plan;
    const char *guest;
    CheckQuestion of_guest[SERVICE_COUNT];
    json_t *facts[SERVICE_COUNT];  /* that the source told */
    CheckQuestion *destinations;   /* SERVICE_COUNT of each */
    CheckRouteAnswers **of_routes; /* one of each */
} Inquiry;

static void
inquiry_clear(Inquiry *inquiry)
{
    guint count = inquiry->plan->destinations->len;

    clear(inquiry->of_guest, SERVICE_COUNT);
    clear(inquiry->destinations, count * SERVICE_COUNT);
    for (guint i = 0; i < count; i++)
        check_route_answers_free(inquiry->of_routes[i]);
    for (int service = 0; service < SERVICE_COUNT; service++)
        json_decref(inquiry->facts[service]);
    g_free(inquiry->destinations);
    g_free(inquiry->of_routes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Inquiry, inquiry_clear)

static void
ask_hosts(Inquiry *inquiry)
{
    const CheckPlan *plan = inquiry->plan;

    prepare(inquiry->of_guest, plan->source, "source", plan);
    for (int service = 0; service < SERVICE_COUNT; service++)
        inquiry->of_guest[service].guest = inquiry->guest;
    check_questions_ask(inquiry->of_guest, SERVICE_COUNT);
    for (int service = 0; service < SERVICE_COUNT; service++)
        inquiry->facts[service] = facts_of(&inquiry->of_guest[service]);
    survey_rename_disks(json_object_get(inquiry->facts[SERVICE_STORAGE], "disks"),
                        plan->disk_paths);
    ask_destinations(plan, inquiry->facts, inquiry->destinations);
}

static void
ask_way(Inquiry *inquiry, guint number)
{
    const CheckPlan *plan = inquiry->plan;
    const CheckRoute route = { .source = plan->source,
                               .destination = plan->destinations->pdata[number],
                               .guest = plan->measure_seconds ? inquiry->guest : NULL,
                               .measure_seconds = plan->measure_seconds,
                               .bandwidth_mebibytes = plan->bandwidth_mebibytes,
                               .login_known = plan->login_known,
                               .cancellable = plan->cancellable,
                               .silence = plan->silence };

    inquiry->of_routes[number] = check_routes_ask(plan->routes, &route);
}

static gboolean
ask_part(guint index, void *data, GError **error)
{
    if (index == 0)
        ask_hosts(data);
    else
        ask_way(data, index - 1);
    return TRUE;
}

static Inquiry
inquire(const CheckPlan *plan, const char *guest)
{
    guint count = plan->destinations->len;
    Inquiry inquiry = { .plan = plan,
                        .guest = guest,
                        .destinations = g_new0(CheckQuestion, count * SERVICE_COUNT),
                        .of_routes = g_new0(CheckRouteAnswers *, count) };

    (void)parallel_run(1 + count, ask_part, &inquiry, NULL);
    return inquiry;
}

static void
judge_destination(CheckSurvey *survey, const Inquiry *inquiry, guint number, CheckVerdict of_source)
{
    const CheckRouteAnswers *route = inquiry->of_routes[number];
    json_auto_t *results = take_both(survey, inquiry->destinations + number * SERVICE_COUNT);

    take(survey, &route->login, results);
    take(survey, &route->passage, results);
    judge(survey, peer_host(inquiry->plan->destinations->pdata[number]),
          check_verdict_worse(of_source, check_verdict_of(results)));
}

CheckSurvey *
check_survey_guest(const CheckPlan *plan, const char *guest)
{
    CheckSurvey *survey = survey_new();
    g_auto(Inquiry) inquiry = inquire(plan, guest);
    json_auto_t *results = take_both(survey, inquiry.of_guest);

    survey->guest = g_strdup(guest);
    for (int service = 0; service < SERVICE_COUNT; service++)
        survey->facts[service] = json_incref(inquiry.facts[service]);
    for (guint i = 0; i < plan->destinations->len; i++)
        judge_destination(survey, &inquiry, i, check_verdict_of(results));
    return survey;
}

CheckSurvey *
check_survey_host(const CheckPlan *plan, Peer *host)
{
    CheckSurvey *survey = survey_new();
    CheckQuestion questions[SERVICE_COUNT];

    prepare(questions, host, "host", plan);
    check_questions_ask(questions, SERVICE_COUNT);
    json_auto_t *results = take_both(survey, questions);
    judge(survey, peer_host(host), check_verdict_of(results));
    clear(questions, SERVICE_COUNT);
    return survey;
}

json_t *
check_survey_to_json(const CheckSurvey *survey)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);

    return json_pack("{s:s?, s:s, s:O, s:O, s:s, s:O}", "guest", survey->guest, "verdict",
                     check_verdict_name(survey->verdict), "destinations", survey->verdicts,
                     "results", survey->results, "checkedAt", time, "invalidatedBy",
                     survey->invalidated_by);
}
