/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Varlink server under friendly, clumsy and hostile clients. */
#include "common/fault.h"
#include "common/limits.h"
#include "varlink_peer.h"

static const char description[] =
    "interface org.example.test\n"
    "type Item (name: string, kind: (red, blue))\n"
    "method Echo(text: string) -> (text: string)\n"
    "method Items(items: []Item, note: ?string) -> ()\n"
    "method Wait() -> ()\n"
    "method Count(to: int) -> (number: int)\n"
    "method Flood() -> (text: string)\n"
    "method Note(text: string) -> ()\n"
    "method Notes() -> (notes: []string)\n"
    "method Fail(code: string) -> ()\n"
    "method Misfit() -> (text: string)\n"
    "method Silence() -> ()\n"
    "error Internal(object: string, cause: string, remedy: string)\n"
    "error GuestNotFound(object: string, cause: string, remedy: string)\n";

typedef struct {
    Serving serving;
    GMutex lock; /* guards the rest */
    GCond changed;
    guint waiting;    /* calls inside Wait */
    gboolean release; /* lets them go */
    gboolean seen_closed;
    json_t *notes;
} Fixture;

static void
run_echo(VarlinkCall *call, json_t *parameters, void *context)
{
    varlink_call_reply(call, json_incref(parameters));
}

static void
run_nothing(VarlinkCall *call, json_t *parameters, void *context)
{
    varlink_call_reply(call, NULL);
}

static void
run_wait(VarlinkCall *call, json_t *parameters, void *context)
{
    Fixture *fixture = context;

    g_mutex_lock(&fixture->lock);
    fixture->waiting++;
    g_cond_broadcast(&fixture->changed);
    while (!fixture->release)
        g_cond_wait(&fixture->changed, &fixture->lock);
    fixture->seen_closed = varlink_call_is_closed(call);
    fixture->waiting--;
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
    varlink_call_reply(call, NULL);
}

static void
run_count(VarlinkCall *call, json_t *parameters, void *context)
{
    json_int_t to = json_integer_value(json_object_get(parameters, "to"));

    for (json_int_t number = 1; number < to; number++)
        varlink_call_notify(call, json_pack("{s:I}", "number", number));
    varlink_call_reply(call, json_pack("{s:I}", "number", to));
}

/* More than the socket's buffers and LIMIT_OUTPUT_BYTES together hold. */
static void
run_flood(VarlinkCall *call, json_t *parameters, void *context)
{
    g_autofree char *text = g_strnfill(64 * 1024, 'x');

    for (int i = 0; i < 256; i++)
        varlink_call_notify(call, json_pack("{s:s}", "text", text));
    varlink_call_reply(call, json_pack("{s:s}", "text", text));
}

static void
run_note(VarlinkCall *call, json_t *parameters, void *context)
{
    Fixture *fixture = context;

    g_mutex_lock(&fixture->lock);
    json_array_append(fixture->notes, json_object_get(parameters, "text"));
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
    varlink_call_reply(call, NULL);
}

static void
run_notes(VarlinkCall *call, json_t *parameters, void *context)
{
    Fixture *fixture = context;

    g_mutex_lock(&fixture->lock);
    json_t *notes = json_copy(fixture->notes);
    g_mutex_unlock(&fixture->lock);
    varlink_call_reply(call, json_pack("{s:o}", "notes", notes));
}

static void
run_fail(VarlinkCall *call, json_t *parameters, void *context)
{
    const char *name = json_string_value(json_object_get(parameters, "code"));
    FaultCode code;
    GError *error = NULL;

    g_assert_true(fault_code_from_name(name, &code));
    fault_set(&error, code, "guest 'a'", "do that", "because");
    varlink_call_fail(call, error);
}

static void
run_misfit(VarlinkCall *call, json_t *parameters, void *context)
{
    varlink_call_reply(call, json_pack("{s:i}", "text", 1));
}

static void
run_silence(VarlinkCall *call, json_t *parameters, void *context)
{
}

static const VarlinkMethod methods[] = {
    { "Echo", run_echo },
    { "Items", run_nothing },
    { "Wait", run_wait },
    { "Count", run_count },
    { "Flood", run_flood },
    { "Note", run_note },
    { "Notes", run_notes },
    { "Fail", run_fail },
    { "Misfit", run_misfit },
    { "Silence", run_silence },
    { 0 },
};

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    fixture->notes = json_array();
    serving_start(&fixture->serving, description, methods, fixture);
}

static void
let_go(Fixture *fixture)
{
    g_mutex_lock(&fixture->lock);
    fixture->release = TRUE;
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void
await_waiting(Fixture *fixture, guint count)
{
    gint64 deadline_usec = g_get_monotonic_time() + patience_usec();

    g_mutex_lock(&fixture->lock);
    while (fixture->waiting != count)
        g_assert_true(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline_usec));
    g_mutex_unlock(&fixture->lock);
}

static void
await_notes(Fixture *fixture, size_t count)
{
    gint64 deadline_usec = g_get_monotonic_time() + patience_usec();

    g_mutex_lock(&fixture->lock);
    while (json_array_size(fixture->notes) != count)
        g_assert_true(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline_usec));
    g_mutex_unlock(&fixture->lock);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    let_go(fixture);
    serving_stop(&fixture->serving);
    json_decref(fixture->notes);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
}

#define CALL(method, parameters)                                                                   \
    "{\"method\":\"org.example.test." method "\",\"parameters\":" parameters "}"
#define ECHO(text)   CALL("Echo", "{\"text\":\"" text "\"}")
#define ECHOED(text) "{\"parameters\":{\"text\":\"" text "\"}}"
#define DONE         "{\"parameters\":{}}"
#define REFUSED(code, key, value)                                                                  \
    "{\"error\":\"org.varlink.service." code "\",\"parameters\":{\"" key "\":\"" value "\"}}"

static void
assert_answer(Fixture *fixture, const char *request, const char *reply)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, request);
    peer_assert_reply(fd, reply);
    close(fd);
}

static void
assert_serves(Fixture *fixture)
{
    assert_answer(fixture, ECHO("alive"), ECHOED("alive"));
}

static void
test_message_may_come_in_pieces(Fixture *fixture, gconstpointer unused)
{
    static const char request[] = ECHO("torn");
    int fd = peer_connect(&fixture->serving);

    for (size_t i = 0; i < sizeof request; i++)
        g_assert_true(peer_send_bytes(fd, request + i, 1));
    peer_assert_reply(fd, ECHOED("torn"));
    close(fd);
}

static void
test_pipelined_calls_are_answered_in_order(Fixture *fixture, gconstpointer unused)
{
    static const char requests[] = CALL("Wait", "{}") "\0" ECHO("1") "\0" ECHO("2");
    int fd = peer_connect(&fixture->serving);

    g_assert_true(peer_send_bytes(fd, requests, sizeof requests));
    await_waiting(fixture, 1);
    let_go(fixture);
    peer_assert_reply(fd, DONE);
    peer_assert_reply(fd, ECHOED("1"));
    peer_assert_reply(fd, ECHOED("2"));
    close(fd);
}

/* An Echo request that is @length bytes long. */
static char *
long_request(size_t length)
{
    static const char head[] = "{\"method\":\"org.example.test.Echo\",\"parameters\":{\"text\":\"";
    g_autofree char *filling = g_strnfill(length - strlen(head) - strlen("\"}}"), 'x');

    return g_strconcat(head, filling, "\"}}", NULL);
}

static void
test_longest_message_is_served_and_a_longer_one_cut_off(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *longest = long_request(LIMIT_MESSAGE_BYTES);
    g_autofree char *longer = long_request(LIMIT_MESSAGE_BYTES + 1);
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, longest);
    g_autofree char *reply = peer_receive(fd);
    g_assert_true(g_str_has_prefix(reply, "{\"parameters\":{\"text\":\"xxx"));
    peer_send_bytes(fd, longer, strlen(longer) + 1);
    peer_assert_hung_up(fd);
    assert_serves(fixture);
}

static void
test_endless_message_is_cut_off(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *chunk = g_strnfill(64 * 1024, ' ');
    int fd = peer_connect(&fixture->serving);
    int sent = 0;

    while (peer_send_bytes(fd, chunk, 64 * 1024))
        g_assert_cmpint(++sent, <, 100);
    peer_assert_hung_up(fd);
    assert_serves(fixture);
}

/* An Echo request nested @depth levels deep. */
static char *
deep_request(unsigned depth)
{
    g_autofree char *open = g_strnfill(depth - 2, '[');
    g_autofree char *close = g_strnfill(depth - 2, ']');

    return g_strdup_printf(CALL("Echo", "{\"text\":%s%s}"), open, close);
}

static void
test_deepest_json_is_judged_and_deeper_one_cut_off(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *deepest = deep_request(LIMIT_JSON_DEPTH);
    g_autofree char *deeper = deep_request(LIMIT_JSON_DEPTH + 1);
    g_autofree char *abyss = deep_request(200000);
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, deepest);
    peer_assert_reply(fd, REFUSED("InvalidParameter", "parameter", "text"));
    peer_send(fd, deeper);
    peer_assert_hung_up(fd);
    fd = peer_connect(&fixture->serving);
    peer_send(fd, abyss);
    peer_assert_hung_up(fd);
    assert_serves(fixture);
}

static void
test_brackets_in_strings_are_not_depth(Fixture *fixture, gconstpointer unused)
{
    static const char many[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
    g_autofree char *request = g_strdup_printf(ECHO("\\\"%s"), many);
    g_autofree char *reply = g_strdup_printf(ECHOED("\\\"%s"), many);

    assert_answer(fixture, request, reply);
}

static void
test_what_is_no_request_ends_the_connection(Fixture *fixture, gconstpointer unused)
{
    static const char *const garbage[] = {
        "",
        "{",
        "[]",
        "null",
        "\xff\xfe",
        "{\"parameters\":{}}",
        "{\"method\":1}",
        "{\"method\":\"nodot\"}",
        CALL("Echo", "[]"),
        "{\"method\":\"org.example.test.Echo\",\"method\":\"org.example.test.Wait\"}",
        "{\"method\":\"org.example.test.Wait\",\"surprise\":1}",
        "{\"method\":\"org.example.test.Wait\",\"more\":1}",
        "{\"method\":\"org.example.test.Wait\",\"more\":true,\"oneway\":true}",
        ECHO("a") "{}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
        int fd = peer_connect(&fixture->serving);
        peer_send(fd, garbage[i]);
        peer_assert_hung_up(fd);
    }
    assert_serves(fixture);
}

static void
test_wrong_parameter_is_named(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *parameters;
        const char *field;
    } cases[] = {
        { "{}", "items" },
        { "{\"items\":null}", "items" },
        { "{\"items\":{}}", "items" },
        { "{\"items\":[],\"colour\":1}", "colour" },
        { "{\"items\":[{\"name\":\"a\",\"kind\":\"red\"},{\"name\":\"b\"}]}", "items[1].kind" },
        { "{\"items\":[{\"name\":\"a\",\"kind\":\"green\"}]}", "items[0].kind" },
        { "{\"items\":[{\"name\":1,\"kind\":\"red\"}]}", "items[0].name" },
        { "{\"items\":[{\"name\":\"a\",\"kind\":\"red\",\"x\":1}]}", "items[0].x" },
        { "{\"items\":[],\"note\":1}", "note" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *request = g_strdup_printf(CALL("Items", "%s"), cases[i].parameters);
        g_autofree char *reply =
            g_strdup_printf(REFUSED("InvalidParameter", "parameter", "%s"), cases[i].field);
        assert_answer(fixture, request, reply);
    }
    assert_answer(fixture, CALL("Items", "{\"items\":[],\"note\":null}"), DONE);
}

static void
test_unknown_names_are_refused(Fixture *fixture, gconstpointer unused)
{
    assert_answer(fixture, "{\"method\":\"org.example.other.Echo\"}",
                  REFUSED("InterfaceNotFound", "interface", "org.example.other"));
    assert_answer(fixture, CALL("Ech", "{}"),
                  REFUSED("MethodNotFound", "method", "org.example.test.Ech"));
}

static void
test_service_tells_what_it_offers(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
    peer_assert_reply(fd, "{\"parameters\":{\"vendor\":\"migprep\",\"product\":\"test\","
                          "\"version\":\"1\",\"url\":\"\",\"interfaces\":"
                          "[\"org.varlink.service\",\"org.example.test\"]}}");
    peer_send(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                  "\"parameters\":{\"interface\":\"org.example.test\"}}");
    g_autofree char *text = peer_receive(fd);
    json_auto_t *reply = json_loads(text, 0, NULL);
    const char *told = NULL;
    g_assert_cmpint(json_unpack(reply, "{s:{s:s}}", "parameters", "description", &told), ==, 0);
    g_assert_cmpstr(told, ==, description);
    peer_send(fd, "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
                  "\"parameters\":{\"interface\":\"a.b\"}}");
    peer_assert_reply(fd, REFUSED("InterfaceNotFound", "interface", "a.b"));
    close(fd);
}

static void
test_more_streams_and_its_absence_does_not(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, "{\"method\":\"org.example.test.Count\",\"parameters\":{\"to\":3},"
                  "\"more\":true}");
    peer_assert_reply(fd, "{\"parameters\":{\"number\":1},\"continues\":true}");
    peer_assert_reply(fd, "{\"parameters\":{\"number\":2},\"continues\":true}");
    peer_assert_reply(fd, "{\"parameters\":{\"number\":3}}");
    peer_send(fd, CALL("Count", "{\"to\":3}"));
    peer_assert_reply(fd, "{\"parameters\":{\"number\":3}}");
    close(fd);
}

#define ONE_WAY(text)                                                                              \
    "{\"method\":\"org.example.test.Note\",\"parameters\":{\"text\":\"" text "\"},"                \
    "\"oneway\":true}"

static void
test_one_way_call_is_run_and_not_answered(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, ONE_WAY("a"));
    peer_send(fd, "{\"method\":\"org.example.test.None\",\"oneway\":true}");
    peer_send(fd, CALL("Notes", "{}"));
    peer_assert_reply(fd, "{\"parameters\":{\"notes\":[\"a\"]}}");
    close(fd);
}

static void
test_one_way_calls_run_though_the_client_is_gone(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, CALL("Wait", "{}"));
    await_waiting(fixture, 1);
    peer_send(fd, ONE_WAY("a"));
    peer_send(fd, CALL("Note", "{\"text\":\"nobody waits for this\"}"));
    peer_send(fd, ONE_WAY("b"));
    close(fd);
    let_go(fixture);
    await_notes(fixture, 2);
    assert_answer(fixture, CALL("Notes", "{}"), "{\"parameters\":{\"notes\":[\"a\",\"b\"]}}");
}

static void
test_client_that_shut_its_sending_half_is_answered(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, CALL("Wait", "{}"));
    await_waiting(fixture, 1);
    shutdown(fd, SHUT_WR);
    let_go(fixture);
    peer_assert_reply(fd, DONE);
    peer_assert_hung_up(fd);
}

static void
test_disconnect_during_a_call_is_seen_and_harmless(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, CALL("Wait", "{}"));
    await_waiting(fixture, 1);
    close(fd);
    /* Answered on the main loop only after it has looked at the closed connection. */
    assert_serves(fixture);
    let_go(fixture);
    await_waiting(fixture, 0);
    g_assert_true(fixture->seen_closed);
    assert_serves(fixture);
}

static void
test_client_that_never_reads_is_cut_off(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);
    char *text;

    peer_send(fd, "{\"method\":\"org.example.test.Flood\",\"more\":true}");
    /* A second one of its calls would be read only after the first one's end. */
    assert_serves(fixture);
    g_autofree char *filling = g_strnfill(64 * 1024, 'x');
    while (peer_send_bytes(fd, filling, 64 * 1024))
        ;
    int received = 0;
    while ((text = peer_receive(fd))) {
        g_assert_nonnull(strstr(text, "\"continues\":true"));
        received++;
        g_free(text);
    }
    g_assert_cmpint(received, <, 256);
    close(fd);
    assert_serves(fixture);
}

static void
test_calls_beyond_the_workers_wait_their_turn(Fixture *fixture, gconstpointer unused)
{
    int fds[LIMIT_WORKERS + 1];

    for (int i = 0; i < LIMIT_WORKERS; i++) {
        fds[i] = peer_connect(&fixture->serving);
        peer_send(fds[i], CALL("Wait", "{}"));
    }
    await_waiting(fixture, LIMIT_WORKERS);
    fds[LIMIT_WORKERS] = peer_connect(&fixture->serving);
    peer_send(fds[LIMIT_WORKERS], ECHO("patient"));
    /* The main loop is free: what needs no worker is answered. */
    assert_answer(fixture, CALL("Nothing", "{}"),
                  REFUSED("MethodNotFound", "method", "org.example.test.Nothing"));
    let_go(fixture);
    peer_assert_reply(fds[LIMIT_WORKERS], ECHOED("patient"));
    for (int i = 0; i <= LIMIT_WORKERS; i++)
        close(fds[i]);
}

static void
test_fault_becomes_the_declared_error(Fixture *fixture, gconstpointer unused)
{
    assert_answer(fixture, CALL("Fail", "{\"code\":\"GuestNotFound\"}"),
                  "{\"error\":\"org.example.test.GuestNotFound\",\"parameters\":"
                  "{\"object\":\"guest 'a'\",\"cause\":\"because\",\"remedy\":\"do that\"}}");
    assert_answer(fixture, CALL("Fail", "{\"code\":\"NoSpace\"}"),
                  "{\"error\":\"org.example.test.Internal\",\"parameters\":"
                  "{\"object\":\"guest 'a'\",\"cause\":\"because\",\"remedy\":\"do that\"}}");
    assert_answer(fixture, CALL("Fail", "{\"code\":\"PermissionDenied\"}"),
                  "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}");
}

static void
test_our_own_mistakes_are_internal_errors(Fixture *fixture, gconstpointer unused)
{
    GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_LEVEL_ERROR);

    assert_answer(fixture, CALL("Misfit", "{}"),
                  "{\"error\":\"org.example.test.Internal\",\"parameters\":{\"object\":\"Misfit\","
                  "\"cause\":\"its reply is not as described: text: not a string\","
                  "\"remedy\":\"\"}}");
    assert_answer(fixture, CALL("Silence", "{}"),
                  "{\"error\":\"org.example.test.Internal\",\"parameters\":{\"object\":\"Silence\","
                  "\"cause\":\"nobody answered\",\"remedy\":\"\"}}");
    g_log_set_always_fatal(fatal);
}

/* Tearing down frees the server while the method runs; it must wait for that. */
static void
test_freeing_waits_for_running_methods(Fixture *fixture, gconstpointer unused)
{
    int fd = peer_connect(&fixture->serving);

    peer_send(fd, CALL("Wait", "{}"));
    await_waiting(fixture, 1);
    g_main_loop_quit(fixture->serving.loop);
    peer_assert_hung_up(fd);
    g_assert_cmpuint(fixture->waiting, ==, 1);
}

#define ADD(name, function)                                                                        \
    g_test_add("/varlink-server/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("message-may-come-in-pieces", test_message_may_come_in_pieces);
    ADD("pipelined-calls-are-answered-in-order", test_pipelined_calls_are_answered_in_order);
    ADD("longest-message-is-served-and-a-longer-one-cut-off",
        test_longest_message_is_served_and_a_longer_one_cut_off);
    ADD("endless-message-is-cut-off", test_endless_message_is_cut_off);
    ADD("deepest-json-is-judged-and-deeper-one-cut-off",
        test_deepest_json_is_judged_and_deeper_one_cut_off);
    ADD("brackets-in-strings-are-not-depth", test_brackets_in_strings_are_not_depth);
    ADD("what-is-no-request-ends-the-connection", test_what_is_no_request_ends_the_connection);
    ADD("wrong-parameter-is-named", test_wrong_parameter_is_named);
    ADD("unknown-names-are-refused", test_unknown_names_are_refused);
    ADD("service-tells-what-it-offers", test_service_tells_what_it_offers);
    ADD("more-streams-and-its-absence-does-not", test_more_streams_and_its_absence_does_not);
    ADD("one-way-call-is-run-and-not-answered", test_one_way_call_is_run_and_not_answered);
    ADD("one-way-calls-run-though-the-client-is-gone",
        test_one_way_calls_run_though_the_client_is_gone);
    ADD("client-that-shut-its-sending-half-is-answered",
        test_client_that_shut_its_sending_half_is_answered);
    ADD("disconnect-during-a-call-is-seen-and-harmless",
        test_disconnect_during_a_call_is_seen_and_harmless);
    ADD("client-that-never-reads-is-cut-off", test_client_that_never_reads_is_cut_off);
    ADD("calls-beyond-the-workers-wait-their-turn", test_calls_beyond_the_workers_wait_their_turn);
    ADD("fault-becomes-the-declared-error", test_fault_becomes_the_declared_error);
    ADD("our-own-mistakes-are-internal-errors", test_our_own_mistakes_are_internal_errors);
    ADD("freeing-waits-for-running-methods", test_freeing_waits_for_running_methods);
    return g_test_run();
}
