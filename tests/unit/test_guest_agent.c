/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of commands through the guest agent: what an untrusted guest may answer. */
#include <jansson.h>
#include <string.h>

#include "common/guest_agent.h"
#include "common/limits.h"
#include "fake/fake_hypervisor.h"

#define UUID    "3f1f3c0a-6f3e-4f6b-9c59-0d7f5f4a1b11"
#define STARTED "{\"return\":{\"pid\":7}}"
#define RUNNING "{\"return\":{\"exited\":false}}"

/* An agent that answers from a list and remembers what it was asked. */
typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    const char *const *answers; /* the last one is repeated; NULL there: silence */
    GPtrArray *questions;       /* of char * */
    GCancellable *cancel_at_status;
} Fixture;

static char *
answer(const char *uuid, const char *command, void *data)
{
    Fixture *fixture = data;
    guint turn = fixture->questions->len;

    g_assert_cmpstr(uuid, ==, UUID);
    g_ptr_array_add(fixture->questions, g_strdup(command));
    if (fixture->cancel_at_status && strstr(command, "guest-exec-status"))
        g_cancellable_cancel(fixture->cancel_at_status);
    guint last = g_strv_length((char **)fixture->answers);
    return last == 0 ? NULL : g_strdup(fixture->answers[MIN(turn, last - 1)]);
}

static void
set_up(Fixture *fixture, const void *unused)
{
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fixture->questions = g_ptr_array_new_with_free_func(g_free);
    fake_hypervisor_add_guest(fixture->fake,
                              "<domain><name>web1</name><uuid>" UUID "</uuid><devices/></domain>",
                              GUEST_STATE_RUNNING, TRUE);
    fake_hypervisor_set_agent(fixture->fake, answer, fixture);
}

static void
tear_down(Fixture *fixture, const void *unused)
{
    hypervisor_free(fixture->hypervisor);
    g_ptr_array_unref(fixture->questions);
}

static gboolean
run(Fixture *fixture, const char *const *answers, unsigned timeout_seconds,
    GuestAgentResult *ret_result, GError **error)
{
    static const char *const argv[] = { "/usr/sbin/netprep-guest", "say", "\"quoted\" \\ 'text'",
                                        NULL };

    fixture->answers = answers;
    return guest_agent_run(fixture->hypervisor, UUID, argv, timeout_seconds,
                           fixture->cancel_at_status, ret_result, error);
}

static void
assert_fails(Fixture *fixture, const char *const *answers, FaultCode code)
{
    g_autoptr(GError) error = NULL;
    g_auto(GuestAgentResult) result = { 0 };

    g_ptr_array_set_size(fixture->questions, 0);
    g_assert_false(run(fixture, answers, 60, &result, &error));
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_null(result.output);
}

static void
test_output_and_status_are_returned(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = { STARTED, RUNNING,
                                           "{\"return\":{\"exited\":true,\"exitcode\":3,"
                                           "\"out-data\":\"aGVsbG8K\",\"err-data\":\"b29wcw==\"}}",
                                           NULL };
    g_autoptr(GError) error = NULL;
    g_auto(GuestAgentResult) result = { 0 };

    g_assert_true(run(fixture, answers, 60, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpint(result.exit_status, ==, 3);
    g_assert_cmpstr(result.output, ==, "hello\n");
    g_assert_cmpstr(result.error_text, ==, "oops");
    g_assert_cmpuint(fixture->questions->len, ==, 3);
}

static void
test_arguments_reach_the_guest_unchanged(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = { STARTED, "{\"return\":{\"exited\":true,\"exitcode\":0}}",
                                           NULL };
    g_auto(GuestAgentResult) result = { 0 };
    const char *path, *first, *second;
    int capture;

    g_assert_true(run(fixture, answers, 60, &result, NULL));
    json_t *question = json_loads(fixture->questions->pdata[0], 0, NULL);
    g_assert_cmpint(json_unpack(question, "{s:{s:s, s:[ss!], s:b!}}", "arguments", "path", &path,
                                "arg", &first, &second, "capture-output", &capture),
                    ==, 0);
    g_assert_cmpstr(path, ==, "/usr/sbin/netprep-guest");
    g_assert_cmpstr(first, ==, "say");
    g_assert_cmpstr(second, ==, "\"quoted\" \\ 'text'");
    g_assert_true(capture);
    json_decref(question);
    g_assert_cmpstr(result.output, ==, "");
    g_assert_cmpstr(result.error_text, ==, "");
}

static void
test_signal_is_a_status_above_128(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = { STARTED, "{\"return\":{\"exited\":true,\"signal\":9}}",
                                           NULL };
    g_auto(GuestAgentResult) result = { 0 };

    g_assert_true(run(fixture, answers, 60, &result, NULL));
    g_assert_cmpint(result.exit_status, ==, 137);
}

static void
test_odd_statuses_are_bounded(Fixture *fixture, const void *unused)
{
    static const struct {
        const char *status;
        int wanted;
    } cases[] = {
        { "{\"return\":{\"exited\":true}}", 255 },
        { "{\"return\":{\"exited\":true,\"exitcode\":\"3\"}}", 255 },
        { "{\"return\":{\"exited\":true,\"exitcode\":-1}}", 0 },
        { "{\"return\":{\"exited\":true,\"exitcode\":999}}", 255 },
        { "{\"return\":{\"exited\":true,\"signal\":\"9\"}}", 255 },
        { "{\"return\":{\"exited\":true,\"signal\":-9}}", 128 },
        { "{\"return\":{\"exited\":true,\"signal\":999}}", 255 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const answers[] = { STARTED, cases[i].status, NULL };
        g_auto(GuestAgentResult) result = { 0 };

        g_ptr_array_set_size(fixture->questions, 0);
        g_assert_true(run(fixture, answers, 60, &result, NULL));
        g_assert_cmpint(result.exit_status, ==, cases[i].wanted);
    }
}

/* Who does not say that it ended still runs. */
static void
test_status_without_an_end_is_asked_for_again(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = { STARTED, "{\"return\":{}}",
                                           "{\"return\":{\"exited\":true,\"exitcode\":0}}", NULL };
    g_auto(GuestAgentResult) result = { 0 };

    g_assert_true(run(fixture, answers, 60, &result, NULL));
    g_assert_cmpuint(fixture->questions->len, ==, 3);
}

static void
test_abilities_are_those_that_are_enabled(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = {
        "{\"return\":{\"supported_commands\":[7,{\"name\":\"guest-exec\",\"enabled\":true},"
        "{\"name\":\"guest-exec-status\"},"
        "{\"name\":\"guest-network-get-interfaces\",\"enabled\":true}]}}",
        NULL
    };
    GuestAbilities abilities;

    fixture->answers = answers;
    g_assert_true(guest_agent_abilities(fixture->hypervisor, UUID, 1, &abilities, NULL));
    g_assert_cmpuint(abilities, ==, GUEST_ABILITY_INTERFACES);
}

static void
test_silence_is_unavailable(Fixture *fixture, const void *unused)
{
    static const char *const nothing[] = { NULL };
    g_autoptr(GError) error = NULL;

    assert_fails(fixture, nothing, FAULT_AGENT_UNAVAILABLE);
    GuestAbilities abilities;
    g_assert_false(guest_agent_abilities(fixture->hypervisor, UUID, 1, &abilities, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_UNAVAILABLE);
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_refusal_is_a_failure(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = {
        "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"guest-exec is disabled\"}}", NULL
    };

    assert_fails(fixture, answers, FAULT_AGENT_FAILED);
}

static void
test_malformed_answers_are_failures(Fixture *fixture, const void *unused)
{
    static const char *const bad[] = {
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"return\":{}}",
        "{\"return\":{\"pid\":\"7\"}}",
        "{\"return\":{\"pid\":-1}}",
        "{\"return\":{\"pid\":7},\"return\":{\"pid\":8}}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *answers[] = { bad[i], NULL };

        assert_fails(fixture, answers, FAULT_AGENT_FAILED);
    }
    static const char *const later[] = { STARTED, "{\"retur", NULL };
    assert_fails(fixture, later, FAULT_AGENT_FAILED);
}

/* A reply of @size bytes whose output is harmless. */
static char *
reply_of_size(gsize size)
{
    const char *head = "{\"return\":{\"exited\":true,\"exitcode\":0},\"x\":\"", *tail = "\"}";
    g_autofree char *filling = g_strnfill(size - strlen(head) - strlen(tail), 'x');

    return g_strconcat(head, filling, tail, NULL);
}

static void
test_size_of_an_answer_is_bounded(Fixture *fixture, const void *unused)
{
    g_autofree char *largest = reply_of_size(LIMIT_AGENT_REPLY_BYTES);
    g_autofree char *larger = reply_of_size(LIMIT_AGENT_REPLY_BYTES + 1);
    const char *good[] = { STARTED, largest, NULL }, *bad[] = { STARTED, larger, NULL };
    g_auto(GuestAgentResult) result = { 0 };

    g_assert_true(run(fixture, good, 60, &result, NULL));
    assert_fails(fixture, bad, FAULT_AGENT_FAILED);
}

/* Depth that a parser which recurses could be made to overflow its stack with. */
static void
test_depth_of_an_answer_is_bounded(Fixture *fixture, const void *unused)
{
    g_autofree char *deep = g_strnfill(500000, '[');
    const char *answers[] = { deep, NULL };

    assert_fails(fixture, answers, FAULT_AGENT_FAILED);
}

static void
test_odd_values_do_no_harm(Fixture *fixture, const void *unused)
{
    static const char *const odd[] = {
        "{\"return\":{\"exited\":true}}",
        "{\"return\":{\"exited\":true,\"exitcode\":99999999999,\"out-data\":7,\"err-data\":[]}}",
        "{\"return\":{\"exited\":true,\"exitcode\":-5,\"out-data\":\"!!not base64!!\"}}",
        "{\"return\":{\"exited\":true,\"signal\":4000,\"out-data\":\"AAAA\"}}",
        "{\"return\":{\"exited\":true,\"exitcode\":1,\"out-data\":\"\"}}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
        const char *answers[] = { STARTED, odd[i], NULL };
        g_auto(GuestAgentResult) result = { 0 };

        g_ptr_array_set_size(fixture->questions, 0);
        g_assert_true(run(fixture, answers, 60, &result, NULL));
        g_assert_cmpint(result.exit_status, >=, 0);
        g_assert_cmpint(result.exit_status, <=, 255);
        g_assert_nonnull(result.output);
        g_assert_nonnull(result.error_text);
    }
}

static void
test_command_that_does_not_end_times_out(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = { STARTED, RUNNING, NULL };
    g_autoptr(GError) error = NULL;
    g_auto(GuestAgentResult) result = { 0 };

    g_assert_false(run(fixture, answers, 0, &result, &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
}

static void
test_wait_is_cancelled(Fixture *fixture, const void *unused)
{
    static const char *const answers[] = { STARTED, RUNNING, NULL };

    fixture->cancel_at_status = g_cancellable_new();
    assert_fails(fixture, answers, FAULT_CANCELLED);
    g_clear_object(&fixture->cancel_at_status);
}

#define ADD(name, function)                                                                        \
    g_test_add("/guest-agent/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("output-and-status-are-returned", test_output_and_status_are_returned);
    ADD("arguments-reach-the-guest-unchanged", test_arguments_reach_the_guest_unchanged);
    ADD("signal-is-a-status-above-128", test_signal_is_a_status_above_128);
    ADD("silence-is-unavailable", test_silence_is_unavailable);
    ADD("odd-statuses", test_odd_statuses_are_bounded);
    ADD("no-end", test_status_without_an_end_is_asked_for_again);
    ADD("abilities", test_abilities_are_those_that_are_enabled);
    ADD("refusal-is-a-failure", test_refusal_is_a_failure);
    ADD("malformed-answers-are-failures", test_malformed_answers_are_failures);
    ADD("size-of-an-answer-is-bounded", test_size_of_an_answer_is_bounded);
    ADD("depth-of-an-answer-is-bounded", test_depth_of_an_answer_is_bounded);
    ADD("odd-values-do-no-harm", test_odd_values_do_no_harm);
    ADD("command-that-does-not-end-times-out", test_command_that_does_not_end_times_out);
    ADD("wait-is-cancelled", test_wait_is_cancelled);
    return g_test_run();
}
