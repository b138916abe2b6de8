/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon that answers has its results taken; one that does not is itself a result. */
#include <string.h>

#include "common/cli/check_answer.h"
#include "common/fault.h"

static json_t *
answer(void *self, const PeerCall *call, GError **error)
{
    if (self) {
        fault_set(error, FAULT_DAEMON_UNAVAILABLE, "netprepd on host2", "start it", "is not there");
        return NULL;
    }
    g_assert_cmpstr(call->method, ==, "Check");
    return json_loads("{\"results\":[{\"check\":\"guest.running\",\"severity\":\"blocker\","
                      "\"outcome\":\"passed\",\"more\":1}]}",
                      0, NULL);
}

static void
free_nothing(void *self)
{
}

static json_t *
ask(gboolean broken)
{
    static const PeerOps ops = { .call = answer, .free = free_nothing };
    g_autoptr(Peer) peer = peer_new("host2", &ops, broken ? (void *)&ops : NULL);
    CheckQuestion question = { .peer = peer, .service = SERVICE_NETWORK, .role = "host" };

    check_questions_ask(&question, 1);
    json_t *results = check_question_results(&question);
    check_question_clear(&question);
    return results;
}

static const char *
text(const json_t *results, size_t number, const char *member)
{
    return json_string_value(json_object_get(json_array_get(results, number), member));
}

static void
test_daemon_that_answers(void)
{
    json_auto_t *results = ask(FALSE);

    g_assert_cmpuint(json_array_size(results), ==, 2);
    g_assert_cmpstr(text(results, 0, "check"), ==, "host.daemons-answer");
    g_assert_cmpstr(text(results, 0, "outcome"), ==, "passed");
    g_assert_cmpstr(text(results, 1, "check"), ==, "guest.running");
    g_assert_cmpstr(text(results, 1, "host"), ==, "host2");
    g_assert_cmpstr(text(results, 1, "remedy"), ==, "");
    g_assert_null(text(results, 1, "more"));
    g_assert_cmpint(check_verdict_of(results), ==, CHECK_VERDICT_READY);
}

static void
test_daemon_that_does_not_answer(void)
{
    json_auto_t *results = ask(TRUE);

    g_assert_cmpuint(json_array_size(results), ==, 1);
    g_assert_cmpstr(text(results, 0, "check"), ==, "host.daemons-answer");
    g_assert_cmpstr(text(results, 0, "outcome"), ==, "unknown");
    g_assert_cmpstr(text(results, 0, "severity"), ==, "blocker");
    g_assert_nonnull(strstr(text(results, 0, "evidence"), "is not there"));
    g_assert_cmpstr(text(results, 0, "remedy"), ==,
                    "systemctl start netprepd.socket storprepd.socket");
    g_assert_cmpint(check_verdict_of(results), ==, CHECK_VERDICT_UNKNOWN);
}

static void
test_blocked_is_worst(void)
{
    static const CheckVerdict order[] = { CHECK_VERDICT_READY, CHECK_VERDICT_WARNINGS,
                                          CHECK_VERDICT_UNKNOWN, CHECK_VERDICT_BLOCKED };

    for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(order); j++)
            g_assert_cmpint(check_verdict_worse(order[i], order[j]), ==, order[MAX(i, j)]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/check/host.daemons-answer/holds", test_daemon_that_answers);
    g_test_add_func("/check/host.daemons-answer/broken", test_daemon_that_does_not_answer);
    g_test_add_func("/check-answer/worst", test_blocked_is_worst);
    return g_test_run();
}
