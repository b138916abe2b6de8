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

/* Of the guest only if its memory is watched: the way itself is the same for all. */
static void
ask_source(const CheckPlan *plan, CheckQuestion *questions, gboolean of_guest)
{
    if (plan->passages && !of_guest)
        check_passages_ask(plan->passages, questions, plan->destinations->len);
    else
        check_questions_ask(questions, plan->destinations->len);
}

static CheckQuestion
question_of_way(const CheckPlan *plan, const CheckWay *way, json_t *facts)
{
    return (CheckQuestion) { .peer = plan->source,
                             .service = SERVICE_STORAGE,
                             .role = "passage",
                             .facts = facts,
                             .way = way,
                             .cancellable = plan->cancellable,
                             .silence = plan->silence };
}

/* Asks the source for the way to each destination, which told its own name. @answers: one
 * destination's question to its storage daemon after the other's. */
static void
ask_for_ways(const CheckSurvey *survey, const CheckPlan *plan, const CheckQuestion *answers,
             CheckWay *ways, json_t **facts, CheckQuestion *questions)
{
    for (guint i = 0; i < plan->destinations->len; i++) {
        facts[i] = facts_of(&answers[i * SERVICE_COUNT + SERVICE_STORAGE]);
        ways[i] = (CheckWay) { .destination = peer_host(plan->destinations->pdata[i]),
                               .measure_seconds = plan->measure_seconds,
                               .bandwidth_mebibytes = plan->bandwidth_mebibytes };
        questions[i] = question_of_way(plan, &ways[i], facts[i]);
        questions[i].guest = plan->measure_seconds ? survey->guest : NULL;
    }
    ask_source(plan, questions, plan->measure_seconds > 0);
}

/* Logging in takes about as long as the source needs for the guest, so both are asked at once. */
typedef struct {
    const CheckPlan *plan;
    CheckQuestion *of_guest; /* to both daemons of the source */
    CheckWay *ways;
    CheckQuestion *logins; /* one for each destination */
    json_t *nothing;       /* told: no facts are needed */
} Beginning;

static void
beginning_clear(Beginning *beginning)
{
    for (guint i = 0; i < beginning->plan->destinations->len; i++)
        check_question_clear(&beginning->logins[i]);
    json_decref(beginning->nothing);
    g_free(beginning->ways);
    g_free(beginning->logins);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Beginning, beginning_clear)

static gboolean
begin_one(guint index, void *data, GError **error)
{
    const Beginning *beginning = data;

    if (index == 0)
        check_questions_ask(beginning->of_guest, SERVICE_COUNT);
    else if (!beginning->plan->login_known)
        ask_source(beginning->plan, beginning->logins, FALSE);
    return TRUE;
}

static Beginning
begin(const CheckPlan *plan, CheckQuestion *of_guest)
{
    guint count = plan->destinations->len;
    Beginning beginning = { .plan = plan,
                            .of_guest = of_guest,
                            .ways = g_new0(CheckWay, count),
                            .logins = g_new0(CheckQuestion, count),
                            .nothing = json_object() };

    for (guint i = 0; i < count; i++) {
        beginning.ways[i] =
            (CheckWay) { .destination = peer_host(plan->destinations->pdata[i]), .login = TRUE };
        beginning.logins[i] = question_of_way(plan, &beginning.ways[i], beginning.nothing);
    }
    (void)parallel_run(2, begin_one, &beginning, NULL);
    return beginning;
}

static void
survey_destinations(CheckSurvey *survey, const Beginning *beginning, json_t *const *facts,
                    CheckVerdict of_source)
{
    const CheckPlan *plan = beginning->plan;
    gsize count = plan->destinations->len;
    g_autofree CheckQuestion *hosts = g_new0(CheckQuestion, count * SERVICE_COUNT);
    g_autofree CheckQuestion *passages = g_new0(CheckQuestion, count);
    g_autofree CheckWay *ways = g_new0(CheckWay, count);
    g_autofree json_t **told = g_new0(json_t *, count);

    ask_destinations(plan, facts, hosts);
    ask_for_ways(survey, plan, hosts, ways, told, passages);
    for (gsize i = 0; i < count; i++) {
        json_auto_t *results = take_both(survey, hosts + i * SERVICE_COUNT);

        take(survey, &beginning->logins[i], results);
        take(survey, &passages[i], results);
        judge(survey, ways[i].destination,
              check_verdict_worse(of_source, check_verdict_of(results)));
        json_decref(told[i]);
    }
    clear(hosts, count * SERVICE_COUNT);
    clear(passages, count);
}

CheckSurvey *
check_survey_guest(const CheckPlan *plan, const char *guest)
{
    CheckSurvey *survey = survey_new();
    CheckQuestion questions[SERVICE_COUNT];

    survey->guest = g_strdup(guest);
    prepare(questions, plan->source, "source", plan);
    for (int service = 0; service < SERVICE_COUNT; service++)
        questions[service].guest = guest;
    g_auto(Beginning) beginning = begin(plan, questions);
    json_auto_t *results = take_both(survey, questions);
    for (int service = 0; service < SERVICE_COUNT; service++)
        survey->facts[service] = facts_of(&questions[service]);
    survey_rename_disks(json_object_get(survey->facts[SERVICE_STORAGE], "disks"), plan->disk_paths);
    survey_destinations(survey, &beginning, survey->facts, check_verdict_of(results));
    clear(questions, SERVICE_COUNT);
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
