/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks of a guest as its host asks for them: what an untrusted guest may say of them, and what
 * stops a move. */
#include <jansson.h>
#include <string.h>

#include "common/fault.h"
#include "common/guest_hooks.h"
#include "fake/fake_hypervisor.h"

#define UUID "3f1f3c0a-6f3e-4f6b-9c59-0d7f5f4a1b11"

/* An agent whose one command ends at once, with this. */
typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    ConfigHooks config;
    const char *output; /* NULL: nobody answers */
    int status;
    gboolean missing; /* the program */
    char *asked;
    unsigned count;
} Fixture;

static char *
dump(json_t *object)
{
    json_auto_t *owned = object;
    char *text = json_dumps(owned, 0);
    char *copy = g_strdup(text);

    free(text);
    return copy;
}

static char *
answer(const char *uuid, const char *command, void *data)
{
    Fixture *fixture = data;

    if (!fixture->output)
        return NULL;
    if (strstr(command, "guest-exec-status")) {
        g_autofree char *encoded =
            g_base64_encode((const guchar *)fixture->output, strlen(fixture->output));
        return dump(json_pack("{s:{s:b, s:i, s:s}}", "return", "exited", TRUE, "exitcode",
                              fixture->status, "out-data", encoded));
    }
    g_free(fixture->asked);
    fixture->asked = g_strdup(command);
    return fixture->missing ? dump(json_pack("{s:{s:s}}", "error", "desc", "no such file"))
                            : dump(json_pack("{s:{s:i}}", "return", "pid", 7));
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fixture->config = (ConfigHooks) { .seconds = 7 };
    fake_hypervisor_add_guest(fixture->fake,
                              "<domain><name>web1</name><uuid>" UUID "</uuid><devices/></domain>",
                              GUEST_STATE_RUNNING, TRUE);
    fake_hypervisor_set_agent(fixture->fake, answer, fixture);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    hypervisor_free(fixture->hypervisor);
    g_free(fixture->asked);
}

static gboolean
run(Fixture *fixture, const char *output, int status, GError **error)
{
    const GuestHooks hooks = { .hypervisor = fixture->hypervisor,
                               .guest_name = "web1",
                               .guest_uuid = UUID,
                               .config = &fixture->config };

    fixture->output = output;
    fixture->status = status;
    return guest_hooks_run(&hooks, GUEST_HOOKS_BEFORE_MIGRATION, &fixture->count, error);
}

static void
assert_none(Fixture *fixture, const char *output, int status)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(run(fixture, output, status, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture->count, ==, 0);
}

static void
assert_fails(Fixture *fixture, const char *output, int status, const char *words)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(run(fixture, output, status, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_nonnull(strstr(error->message, words));
}

static void
test_guest_is_told_phase_and_deadline(Fixture *fixture, const void *data)
{
    assert_none(fixture, "{\"hooks\":[]}", 0);
    g_assert_nonnull(strstr(fixture->asked, "\"before_migration\""));
    g_assert_nonnull(strstr(fixture->asked, "\"7\""));
}

static void
test_who_cannot_be_asked_has_none(Fixture *fixture, const void *data)
{
    assert_none(fixture, NULL, 0);
    assert_none(fixture, "", 2); /* an older program */
    fixture->missing = TRUE;
    assert_none(fixture, "", 0);
}

static void
test_hooks_that_end_well_are_counted(Fixture *fixture, const void *data)
{
    g_assert_true(run(fixture,
                      "{\"hooks\":[{\"name\":\"10-a\",\"user\":\"nobody\",\"failure\":\"\","
                      "\"output\":\"one\\ntwo\\n\"},{\"name\":\"20-b.root\",\"user\":\"root\","
                      "\"failure\":\"\",\"output\":\"\"}]}",
                      0, NULL));
    g_assert_cmpuint(fixture->count, ==, 2);
}

static void
test_failure_names_the_hook_and_can_be_ignored(Fixture *fixture, const void *data)
{
    static const char said[] = "{\"hooks\":[{\"name\":\"10-a\",\"user\":\"nobody\","
                               "\"failure\":\"it failed with status 1\",\"output\":\"no\"}]}";

    assert_fails(fixture, said, 0, "before_migration/10-a failed: it failed with status 1");
    fixture->config.ignore_failure = TRUE;
    g_assert_true(run(fixture, said, 0, NULL));
}

static void
test_guest_s_words_are_cut_and_harmless(Fixture *fixture, const void *data)
{
    g_autofree char *name = g_strnfill(5000, 'x');
    g_autofree char *said = g_strdup_printf("{\"hooks\":[{\"name\":\"%s\",\"failure\":"
                                            "\"\\u001b[2Jbad\\nnews\"}]}",
                                            name);
    g_autoptr(GError) error = NULL;

    g_assert_false(run(fixture, said, 0, &error));
    g_assert_cmpuint(strlen(error->message), <, 1000);
    g_assert_nonnull(strstr(error->message, "[2Jbad news"));
    g_assert_null(strchr(error->message, '\033'));
}

static void
test_nonsense_is_a_failure(Fixture *fixture, const void *data)
{
    assert_fails(fixture, "", 1, "status 1");
    assert_fails(fixture, "{\"error\":\"cannot be read\"}", 1, "cannot be read");
    assert_fails(fixture, "[]", 0, "did not say");
    assert_fails(fixture, "{\"hooks\":3}", 0, "did not say");
    assert_none(fixture, "{\"hooks\":[]}", 1);
}

static void
add(const char *name, void (*test)(Fixture *fixture, const void *data))
{
    g_test_add(name, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK); /* failures are warned of */
    add("/guest-hooks/asked", test_guest_is_told_phase_and_deadline);
    add("/guest-hooks/none", test_who_cannot_be_asked_has_none);
    add("/guest-hooks/counted", test_hooks_that_end_well_are_counted);
    add("/guest-hooks/failure", test_failure_names_the_hook_and_can_be_ignored);
    add("/guest-hooks/words", test_guest_s_words_are_cut_and_harmless);
    add("/guest-hooks/nonsense", test_nonsense_is_a_failure);
    return g_test_run();
}
