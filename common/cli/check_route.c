/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks both ends of a way. */
#include "common/cli/check_route.h"

#include "common/check.h"
#include "common/parallel.h"

static CheckQuestion
question_of_way(const CheckRoute *route, const CheckWay *way)
{
    return (CheckQuestion) { .peer = route->source,
                             .service = SERVICE_STORAGE,
                             .role = "passage",
                             .way = way,
                             .cancellable = route->cancellable,
                             .silence = route->silence };
}

static CheckRouteAnswers *
answers_new(const CheckRoute *route)
{
    CheckRouteAnswers *answers = g_new0(CheckRouteAnswers, 1);
    const char *host = peer_host(route->destination);

    answers->login_way = (CheckWay) { .destination = host, .login = TRUE };
    answers->passage_way = (CheckWay) { .destination = host,
                                        .measure_seconds = route->measure_seconds,
                                        .bandwidth_mebibytes = route->bandwidth_mebibytes };
    answers->login = question_of_way(route, &answers->login_way);
    answers->passage = question_of_way(route, &answers->passage_way);
    answers->passage.guest = route->guest;
    return answers;
}

void
check_route_answers_free(CheckRouteAnswers *answers)
{
    if (!answers)
        return;
    check_question_clear(&answers->login);
    check_question_clear(&answers->passage);
    g_free(answers);
}

static void
copy_outcome(CheckQuestion *question, const CheckQuestion *from, const CheckWay *way)
{
    *question = *from;
    question->way = way;
    question->reply = json_deep_copy(from->reply);
    question->error = from->error ? g_error_copy(from->error) : NULL;
}

CheckRouteAnswers *
check_route_answers_copy(const CheckRouteAnswers *answers)
{
    CheckRouteAnswers *copy = g_memdup2(answers, sizeof *answers);

    copy_outcome(&copy->login, &answers->login, &copy->login_way);
    copy_outcome(&copy->passage, &answers->passage, &copy->passage_way);
    return copy;
}

static void
ask(CheckQuestion *question, json_t *facts)
{
    question->facts = facts;
    check_questions_ask(question, 1);
    question->facts = NULL;
}

/* What the destination told of itself; an empty object if it told nothing: its name is then for the
 * source to find. *ret_let_in: it was reached. */
static json_t *
ask_address(const CheckRoute *route, gboolean *ret_let_in)
{
    CheckQuestion question = { .peer = route->destination,
                               .service = SERVICE_STORAGE,
                               .role = "address",
                               .cancellable = route->cancellable,
                               .silence = route->silence };

    /* It is asked next, as soon as the source has told of the guest. */
    peer_prepare(route->destination, SERVICE_NETWORK, route->cancellable);
    check_questions_ask(&question, 1);
    json_t *facts = json_incref(json_object_get(question.reply, "facts"));
    *ret_let_in = question.reply != NULL;
    check_question_clear(&question);
    return facts ? facts : json_object();
}

/* As if the source had tried it. */
static json_t *
tell_login(const char *host)
{
    g_autoptr(CheckReport) report = check_report_new();
    g_autofree char *object = g_strdup_printf("host '%s'", host);

    report->kind = check_catalogue_find("host.ssh-login");
    check_pass(report, object, "root, who runs this command, was let in by ssh without a password");
    return check_report_to_json(report);
}

typedef struct {
    const CheckRoute *route;
    CheckRouteAnswers *answers;
} Inquiry;

static void
ask_login(const Inquiry *inquiry)
{
    json_auto_t *nothing = json_object();

    ask(&inquiry->answers->login, nothing);
}

static void
ask_both_ends(const Inquiry *inquiry)
{
    gboolean let_in = FALSE;
    json_auto_t *facts = ask_address(inquiry->route, &let_in);

    if (inquiry->route->login_known && let_in)
        inquiry->answers->login.reply = tell_login(peer_host(inquiry->route->destination));
    else if (inquiry->route->login_known)
        ask_login(inquiry);
    ask(&inquiry->answers->passage, facts);
}

static gboolean
ask_part(guint index, void *data, GError **error)
{
    if (index == 0)
        ask_both_ends(data);
    else
        ask_login(data);
    return TRUE;
}

CheckRouteAnswers *
check_route_ask(const CheckRoute *route)
{
    Inquiry inquiry = { route, answers_new(route) };

    (void)parallel_run(route->login_known ? 1 : 2, ask_part, &inquiry, NULL);
    return inquiry.answers;
}
