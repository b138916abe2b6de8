/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups of checks run beside each other; one that hangs costs its deadline and passes nothing. */
#include <string.h>

#include "common/check_run.h"
#include "common/limits.h"
#include "fake/check_case.h"

#define LONG_MSEC  60000
#define SHORT_MSEC 50

/* Something that checks wait for. */
typedef struct {
    GMutex lock;
    GCond changed;
    unsigned arrived;
    gboolean open;
    unsigned freed;
} Gate;

static void
gate_open(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->open = TRUE;
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
}

static void
free_gate(void *context)
{
    Gate *gate = context;

    g_mutex_lock(&gate->lock);
    gate->freed++;
    g_mutex_unlock(&gate->lock);
}

static void
pass(void *context, CheckReport *report)
{
    check_pass(report, "thing", "is fine");
}

static void
fail(void *context, CheckReport *report)
{
    check_fail(report, "thing", NULL, "is broken");
}

static void
hang(void *context, CheckReport *report)
{
    Gate *gate = context;

    g_mutex_lock(&gate->lock);
    while (!gate->open)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
    check_pass(report, "thing", "was late");
}

/* Returns when two have come. */
static void
meet(void *context, CheckReport *report)
{
    Gate *gate = context;

    g_mutex_lock(&gate->lock);
    gate->arrived++;
    g_cond_broadcast(&gate->changed);
    while (gate->arrived < 2)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
    check_pass(report, "thing", "met");
}

static CheckReadiness
hinder(void *context, GError **error)
{
    g_set_error_literal(error, g_quark_from_static_string("test"), 1, "libvirt is away");
    return CHECK_HINDERED;
}

static CheckReadiness
find_nothing(void *context, GError **error)
{
    return CHECK_NOTHING;
}

static void
tell(void *context, CheckReport *report)
{
    check_fact(report, "seen", json_true());
}

static const Check pass_and_fail[] = { { "guest.running", pass }, { "guest.no-job", fail }, { 0 } };
static const Check pass_and_hang[] = {
    { "guest.running", pass }, { "guest.no-job", hang }, { "guest.no-snapshot", pass }, { 0 }
};
static const Check meeting[] = { { "guest.running", meet }, { 0 } };

static void
assert_outcome(const CheckReport *report, const char *id, CheckOutcome outcome)
{
    const CheckResult *result = check_report_find(report, id, NULL);

    g_assert_nonnull(result);
    g_assert_cmpint(result->outcome, ==, outcome);
}

static void
test_results_and_facts_are_collected(void)
{
    CheckRunner *runner = check_runner_new();
    Gate gate = { 0 };
    const CheckGroup group = { .object = "guest",
                               .checks = pass_and_fail,
                               .tell = tell,
                               .context = &gate,
                               .free_context = free_gate };
    g_autoptr(CheckReport) report = check_runner_run(runner, &group, 1, NULL, LONG_MSEC);

    g_assert_cmpuint(report->results->len, ==, 2);
    assert_outcome(report, "guest.running", CHECK_PASSED);
    assert_outcome(report, "guest.no-job", CHECK_FAILED);
    const CheckResult *failed = check_report_find(report, "guest.no-job", "thing");
    g_assert_cmpstr(failed->evidence, ==, "is broken");
    g_assert_cmpstr(failed->remedy, ==, check_catalogue_find("guest.no-job")->remedy);
    g_assert_true(json_is_true(json_object_get(report->facts, "seen")));
    g_assert_true(check_runner_finish(runner, LONG_MSEC));
    g_assert_cmpuint(gate.freed, ==, 1);
    check_runner_free(runner);
}

static void
test_groups_run_beside_each_other(void)
{
    CheckRunner *runner = check_runner_new();
    Gate gate = { 0 };
    const CheckGroup groups[] = { { .object = "one", .checks = meeting, .context = &gate },
                                  { .object = "other", .checks = meeting, .context = &gate } };
    g_autoptr(CheckReport) report = check_runner_run(runner, groups, 2, NULL, LONG_MSEC);

    g_assert_cmpuint(report->results->len, ==, 2);
    assert_outcome(report, "guest.running", CHECK_PASSED);
    g_assert_true(check_runner_finish(runner, LONG_MSEC));
    check_runner_free(runner);
}

static void
test_hanging_group_is_unknown_from_where_it_hangs(void)
{
    CheckRunner *runner = check_runner_new();
    Gate gate = { 0 };
    const CheckGroup groups[] = { { .object = "hanging",
                                    .checks = pass_and_hang,
                                    .context = &gate,
                                    .free_context = free_gate },
                                  { .object = "other", .checks = pass_and_fail } };
    g_autoptr(CheckReport) report = check_runner_run(runner, groups, 2, NULL, SHORT_MSEC);
    const CheckResult *late = check_report_find(report, "guest.no-job", "hanging");

    g_assert_nonnull(late);
    g_assert_cmpint(late->outcome, ==, CHECK_UNKNOWN);
    g_assert_nonnull(strstr(late->evidence, "no answer within"));
    g_assert_cmpint(check_report_find(report, "guest.no-snapshot", "hanging")->outcome, ==,
                    CHECK_UNKNOWN);
    g_assert_false(check_runner_finish(runner, 0));
    gate_open(&gate);
    g_assert_true(check_runner_finish(runner, LONG_MSEC));
    g_assert_cmpuint(gate.freed, ==, 1);
    g_assert_null(check_report_find(report, "guest.no-snapshot", "thing"));
    check_runner_free(runner);
}

static void
test_context_that_cannot_be_read_is_unknown(void)
{
    CheckRunner *runner = check_runner_new();
    const CheckGroup groups[] = {
        { .object = "guest", .checks = pass_and_fail, .prepare = hinder },
        { .object = "nothing", .checks = pass_and_fail, .prepare = find_nothing }
    };
    g_autoptr(CheckReport) report = check_runner_run(runner, groups, 2, NULL, LONG_MSEC);

    g_assert_cmpuint(report->results->len, ==, 2);
    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        g_assert_cmpint(result->outcome, ==, CHECK_UNKNOWN);
        g_assert_cmpstr(result->evidence, ==, "libvirt is away");
    }
    g_assert_true(check_runner_finish(runner, LONG_MSEC));
    check_runner_free(runner);
}

static void
test_hanging_threads_are_bounded(void)
{
    CheckRunner *runner = check_runner_new();
    Gate gate = { 0 };
    g_autofree CheckGroup *groups = g_new0(CheckGroup, LIMIT_CHECK_THREADS + 1);
    unsigned refused = 0;

    for (unsigned i = 0; i <= LIMIT_CHECK_THREADS; i++)
        groups[i] = (CheckGroup) { .object = "guest", .checks = pass_and_hang, .context = &gate };
    g_autoptr(CheckReport) report =
        check_runner_run(runner, groups, LIMIT_CHECK_THREADS + 1, NULL, SHORT_MSEC);
    for (guint i = 0; i < report->results->len; i++) {
        const CheckResult *result = report->results->pdata[i];

        if (strstr(result->evidence, "too many"))
            refused++;
    }
    g_assert_cmpuint(refused, ==, G_N_ELEMENTS(pass_and_hang) - 1);
    gate_open(&gate);
    g_assert_true(check_runner_finish(runner, LONG_MSEC));
    check_runner_free(runner);
}

static void
test_report_is_told_with_time_and_what_makes_it_stale(void)
{
    g_autoptr(CheckReport) report = check_report_new();

    report->kind = check_catalogue_find("guest.running");
    check_fail(report, "guest 'w\xff'", "do this", "is %s", "off");
    report->kind = check_catalogue_find("guest.no-job");
    check_pass(report, "guest", "is idle");
    json_auto_t *json = check_report_to_json(report);
    const json_t *result = json_array_get(json_object_get(json, "results"), 0);

    g_assert_cmpstr(json_string_value(json_object_get(result, "check")), ==, "guest.running");
    g_assert_cmpstr(json_string_value(json_object_get(result, "severity")), ==, "blocker");
    g_assert_cmpstr(json_string_value(json_object_get(result, "outcome")), ==, "failed");
    g_assert_cmpstr(json_string_value(json_object_get(result, "remedy")), ==, "do this");
    g_assert_cmpuint(json_array_size(json_object_get(json, "invalidatedBy")), ==, 1);
    g_assert_true(g_str_has_suffix(json_string_value(json_object_get(json, "checkedAt")), "Z"));
}

static void
test_remedies_name_the_guest(void)
{
    g_autoptr(CheckReport) report = check_report_new();

    report->kind = check_catalogue_find("guest.running");
    check_fail(report, "guest", "virsh resume GUEST", "is paused");
    report->guest = "web1";
    check_fail(report, "guest", "virsh resume GUEST  # or virsh start GUEST", "is paused");
    report->guest = "my guest; reboot";
    check_fail(report, "guest", "virsh resume GUEST", "is paused");
    check_fail_advised(report, "guest", "ask it", "is %s", "odd");
    static const char *const remedies[] = { "virsh resume GUEST",
                                            "virsh resume web1  # or virsh start web1",
                                            "virsh resume 'my guest; reboot'",
                                            "virsh resume 'my guest; reboot'  # ask it" };
    for (gsize i = 0; i < G_N_ELEMENTS(remedies); i++)
        g_assert_cmpstr(((CheckResult *)report->results->pdata[i])->remedy, ==, remedies[i]);
}

static void
test_catalogue_is_complete(void)
{
    const CheckKind *kind;

    for (gsize i = 0; (kind = check_catalogue_at(i)); i++) {
        g_assert_true(check_catalogue_find(kind->id) == kind);
        g_assert_nonnull(strchr(kind->id, '.'));
        g_assert_true(*kind->title && *kind->proves && *kind->daemon);
        g_assert_cmpstr(check_case_is_command(kind->remedy) ? "" : kind->remedy, ==, "");
        g_assert_true(*kind->source && *kind->invalidated_by);
    }
    g_assert_null(check_catalogue_find("guest.nonesuch"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/check-run/collected", test_results_and_facts_are_collected);
    g_test_add_func("/check-run/parallel", test_groups_run_beside_each_other);
    g_test_add_func("/check-run/hanging", test_hanging_group_is_unknown_from_where_it_hangs);
    g_test_add_func("/check-run/hindered", test_context_that_cannot_be_read_is_unknown);
    g_test_add_func("/check-run/bounded", test_hanging_threads_are_bounded);
    g_test_add_func("/check-run/json", test_report_is_told_with_time_and_what_makes_it_stale);
    g_test_add_func("/check-run/remedies", test_remedies_name_the_guest);
    g_test_add_func("/check-run/catalogue", test_catalogue_is_complete);
    return g_test_run();
}
