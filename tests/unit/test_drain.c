/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Emptying a host: limits, failures that do not stop the rest, fallbacks, cancelling, resuming. */
#include <glib/gstdio.h>
#include <string.h>

#include "common/cli/drain_record.h"
#include "common/cli/drain_settle.h"
#include "fake/drain_world.h"

static const DrainRules rules = { .limits = { 2, 2 }, .overcommit = 4, .bandwidth_mebibytes = 100 };

static DrainEnd *
end_of(const DrainResult *result, guint item)
{
    return &g_array_index(result->ends, DrainEnd, item);
}

static void
test_all_guests_leave_within_the_limits(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(6);

    world->meet = 2;
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_assert_cmpuint(drain_plan_staying(plan), ==, 0);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpuint(world->most[0], ==, 2);
    for (guint i = 0; i < world->count; i++) {
        g_assert_cmpint(world->guests[i].host, ==, i % 2 ? 2 : 1);
        g_assert_cmpint(end_of(result, i)->outcome, ==, DRAIN_MOVED);
        g_assert_cmpstr(end_of(result, i)->host, ==,
                        world->guests[i].host == 1 ? "host2" : "host3");
    }
}

static void
test_no_host_gets_more_at_once_than_it_takes(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(6);
    DrainRules wide = rules;

    wide.limits = (ScheduleLimits) { 6, 1 };
    world->meet = 2;
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &wide);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpuint(world->most[1], ==, 1);
    g_assert_cmpuint(world->most[2], ==, 1);
}

static void
test_failed_guest_is_tried_elsewhere_and_holds_up_nobody(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(3);

    world->guests[0].failures = 1;
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_true(drain_world_saw(world->calls, "Migrate a host2"));
    g_assert_true(drain_world_saw(world->calls, "Migrate a host3"));
    g_assert_true(drain_world_saw(world->events, "over a moved host3"));
}

static void
test_guest_that_always_fails_stays_and_the_rest_leaves(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(3);
    guint tries = 0;

    world->guests[1].failures = 100;
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_PARTLY);
    g_assert_cmpint(end_of(result, 1)->outcome, ==, DRAIN_FAILED);
    g_assert_error(end_of(result, 1)->error, FAULT, FAULT_MIGRATION_FAILED);
    g_assert_cmpint(world->guests[0].host, >, 0);
    g_assert_cmpint(world->guests[2].host, >, 0);
    for (guint i = 0; i < world->calls->len; i++)
        tries += g_str_has_prefix(world->calls->pdata[i], "Migrate b");
    g_assert_cmpuint(tries, ==, 3);
}

/* Moved, tried and failed, or blocked from the beginning: the fallback is what is left. */
static void
test_guests_that_cannot_leave_follow_their_fallback(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(5);

    world->guests[0].mode = "pinned";
    world->guests[0].fallback = "hibernate";
    world->guests[1].mode = "manual";
    world->guests[2].failures = 100;
    world->guests[2].fallback = "shutdown";
    world->guests[3].mode = "pinned";
    world->guests[3].fallback = "shutdown";
    world->guests[3].stubborn = TRUE;
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_assert_cmpuint(drain_plan_staying(plan), ==, 3);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_PARTLY);
    g_assert_cmpint(end_of(result, 0)->outcome, ==, DRAIN_HIBERNATED);
    g_assert_cmpint(end_of(result, 1)->outcome, ==, DRAIN_LEFT);
    g_assert_nonnull(strstr(end_of(result, 1)->error->message, "its mode is manual"));
    g_assert_cmpint(end_of(result, 2)->outcome, ==, DRAIN_SHUT_DOWN);
    g_assert_cmpint(end_of(result, 3)->outcome, ==, DRAIN_FAILED);
    g_assert_error(end_of(result, 3)->error, FAULT, FAULT_TIMED_OUT);
    g_assert_cmpint(end_of(result, 4)->outcome, ==, DRAIN_MOVED);
    g_assert_true(drain_world_saw(world->calls, "StopGuest a hibernate"));
    g_assert_true(drain_world_saw(world->calls, "StopGuest c shutdown"));
}

static void
test_manual_guests_move_if_they_are_included(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(2);
    DrainRules all = rules;

    world->guests[0].mode = "manual";
    world->guests[1].mode = "pinned";
    all.include_manual = TRUE;
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &all);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
}

static void
test_important_guests_leave_first(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(3);
    DrainRules narrow = rules;

    world->guests[0].priority = "low";
    world->guests[2].priority = "high";
    narrow.limits = (ScheduleLimits) { 1, 1 };
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &narrow);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_true(g_str_has_prefix(world->calls->pdata[0], "Migrate c"));
    g_assert_true(g_str_has_prefix(world->calls->pdata[2], "Migrate a"));
}

static void
test_checks_decide_where_a_guest_goes(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(2);

    world->guests[0].blocked_on = "host2";
    world->guests[1].blocked_on = "host3";
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpint(world->guests[0].host, ==, 2);
    g_assert_cmpint(world->guests[1].host, ==, 1);
}

/* What was fine when it was planned may not be when its turn comes. */
static void
test_destination_is_judged_again_before_each_move(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(1);
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);

    world->guests[0].blocked_on = "host2";
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpint(world->guests[0].host, ==, 2);
    g_assert_false(drain_world_saw(world->calls, "Migrate a host2"));
}

static void
test_host_that_does_not_answer_takes_no_guest(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(2);

    world->unreachable = "host3";
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpint(world->guests[0].host, ==, 1);
    g_assert_cmpint(world->guests[1].host, ==, 1);
}

static void
test_nobody_can_leave_is_blocked(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(1);
    json_auto_t *document = NULL;

    world->guests[0].blocked_on = "host2";
    world->unreachable = "host3";
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    document = drain_plan_to_json(plan);
    g_assert_true(json_is_false(json_object_get(document, "fits")));
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_BLOCKED);
    g_assert_nonnull(strstr(end_of(result, 0)->error->message, "differs"));
    g_assert_cmpuint(world->calls->len, ==, 0);
}

static void
test_cancelled_drain_lets_running_moves_end_and_begins_no_other(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(4);
    DrainRules narrow = rules;

    narrow.limits = (ScheduleLimits) { 1, 1 };
    world->cancel_at = "a";
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &narrow);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_CANCELLED);
    g_assert_cmpuint(world->calls->len, ==, 1);
    g_assert_cmpint(end_of(result, 0)->outcome, ==, DRAIN_MOVED);
    for (guint i = 1; i < 4; i++)
        g_assert_cmpint(end_of(result, i)->outcome, ==, DRAIN_CANCELLED);
}

/* Nothing but what libvirt says is needed to go on. */
static void
test_another_drain_goes_on_where_one_was_cancelled(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(3);

    g_cancellable_cancel(world->stop);
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_CANCELLED);
    world->guests[1].host = 2;
    g_cancellable_reset(world->stop);
    g_autoptr(DrainPlan) again = drain_world_plan(world, &rules);
    g_assert_cmpuint(again->items->len, ==, 2);
    g_autoptr(DrainResult) rest = drain_world_run(world, again);
    g_assert_cmpint(rest->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpuint(world->calls->len, ==, 2);
}

static void
test_moves_of_others_count_against_the_limits(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(1);
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);

    world->busy_answers = 2;
    g_autoptr(DrainResult) result = drain_world_run(world, plan);
    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
    g_assert_cmpuint(world->busy_answers, ==, 0);
    g_assert_cmpuint(world->calls->len, ==, 1);
    g_assert_true(drain_world_saw(world->events, "retry a host2"));
}

static void
count_call(const char *sentence, void *data)
{
    (*(unsigned *)data)++;
}

/* Else the guest that a killed drain was moving would seem to be unable to leave. */
static void
test_unfinished_moves_are_waited_for_before_planning(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(1);
    unsigned told = 0;
    DrainSettling settling = {
        .patience_seconds = 600, .pause_msec = 1, .tell = count_call, .data = &told
    };
    const DrainQuestion question = { .source = world->peers[0],
                                     .destinations = world->destinations,
                                     .cancellable = world->stop };
    g_autoptr(GError) error = NULL;

    world->migrating_answers = 3;
    world->leftover_answers = 2;
    g_assert_true(drain_settle(&question, &settling, &error));
    g_assert_cmpuint(world->migrating_answers, ==, 0);
    g_assert_cmpuint(world->leftover_answers, ==, 0);
    g_assert_cmpuint(told, ==, 1);
    world->leftover_answers = G_MAXUINT;
    settling.patience_seconds = 0;
    g_assert_true(drain_settle(&question, &settling, &error));
    settling.patience_seconds = 600;
    g_cancellable_cancel(world->stop);
    g_assert_false(drain_settle(&question, &settling, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
}

static void
test_host_without_guests_is_drained(void)
{
    g_autoptr(DrainWorld) world = drain_world_new(0);
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);

    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
}

static void
test_record_is_on_disk_and_forgets(void)
{
    g_autofree char *root = g_dir_make_tmp("record-XXXXXX", NULL);
    g_autofree char *path = g_strconcat(root, "/var/lib/migprep/drained.json", NULL);
    g_autoptr(DrainGuest) guest = drain_guest_new("web1", "u1", "running");
    g_autoptr(DrainGuest) other = drain_guest_new("web2", "u2", "running");
    g_autoptr(DrainRecord) record = drain_record_load(root, NULL);

    g_assert_true(drain_record_add(record, guest, "host2", DRAIN_MOVED, NULL));
    g_assert_true(drain_record_add(record, other, NULL, DRAIN_HIBERNATED, NULL));
    g_assert_true(drain_record_add(record, guest, "host3", DRAIN_DEGRADED, NULL));
    g_autoptr(DrainRecord) read = drain_record_load(root, NULL);
    g_assert_cmpuint(json_array_size(drain_record_guests(read)), ==, 2);
    const json_t *last = json_array_get(drain_record_guests(read), 1);
    g_assert_cmpstr(json_string_value(json_object_get(last, "host")), ==, "host3");
    g_assert_true(drain_record_forget(read, "u1", NULL));
    g_assert_true(drain_record_forget(read, "u2", NULL));
    g_assert_true(g_file_set_contents(path, "{", -1, NULL));
    g_assert_null(drain_record_load(root, NULL));
    g_unlink(path);
    for (char *slash; (slash = strrchr(path, '/')) && strlen(path) > strlen(root);) {
        *slash = '\0';
        g_rmdir(path);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/drain/all-leave", test_all_guests_leave_within_the_limits);
    g_test_add_func("/drain/limit-in", test_no_host_gets_more_at_once_than_it_takes);
    g_test_add_func("/drain/elsewhere", test_failed_guest_is_tried_elsewhere_and_holds_up_nobody);
    g_test_add_func("/drain/always-fails", test_guest_that_always_fails_stays_and_the_rest_leaves);
    g_test_add_func("/drain/fallback", test_guests_that_cannot_leave_follow_their_fallback);
    g_test_add_func("/drain/manual", test_manual_guests_move_if_they_are_included);
    g_test_add_func("/drain/priority", test_important_guests_leave_first);
    g_test_add_func("/drain/checks", test_checks_decide_where_a_guest_goes);
    g_test_add_func("/drain/judged-again", test_destination_is_judged_again_before_each_move);
    g_test_add_func("/drain/silent-host", test_host_that_does_not_answer_takes_no_guest);
    g_test_add_func("/drain/blocked", test_nobody_can_leave_is_blocked);
    g_test_add_func("/drain/cancelled",
                    test_cancelled_drain_lets_running_moves_end_and_begins_no_other);
    g_test_add_func("/drain/resumed", test_another_drain_goes_on_where_one_was_cancelled);
    g_test_add_func("/drain/others", test_moves_of_others_count_against_the_limits);
    g_test_add_func("/drain/settles", test_unfinished_moves_are_waited_for_before_planning);
    g_test_add_func("/drain/no-guests", test_host_without_guests_is_drained);
    g_test_add_func("/drain/record", test_record_is_on_disk_and_forgets);
    return g_test_run();
}
