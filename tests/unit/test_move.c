/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The move's sequence: which calls, in which order, and what is undone when each of them fails. */
#include <string.h>

#include "common/cli/exit_status.h"
#include "fake/move_world.h"

static void
test_moves_in_the_promised_order(void)
{
    g_autoptr(World) world = world_new();
    g_autoptr(MoveResult) result = world_run(world);

    g_assert_no_error(result->error);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    world_assert_calls(world, 0,
                       "host2 ListFunctions, host2 Reserve, host2 CreateTargets, host1 Detach, "
                       "host1 Migrate, host2 Attach, host1 Release network");
    g_assert_cmpstr(result->guest, ==, "web1");
    g_assert_cmpint(result->downtime_msec, ==, 120);
    g_assert_cmpstr(json_string_value(json_array_get(result->functions, 0)), ==, "0000:01:10.4");
    g_assert_cmpstr(result->active_before, ==, "eth0");
    g_assert_cmpstr(result->active_after, ==, "eth1");
    g_assert_cmpuint(result->steps->len, ==, 8);
}

static void
test_skips_what_a_guest_without_vnics_does_not_need(void)
{
    g_autoptr(World) world = world_new();

    world->no_vnics = TRUE;
    world->no_agent = TRUE;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    world_assert_calls(world, 0, "host2 CreateTargets, host1 Migrate");
}

static void
test_hooks_of_a_guest_without_vnics_run_where_it_is(void)
{
    static const struct {
        const char *fail, *calls;
        MoveOutcome outcome;
    } cases[] = {
        { NULL, "host1 RunHooks, host1 Migrate, host2 RunHooks", MOVE_OUTCOME_MOVED },
        { "host1 Migrate", "host1 RunHooks, host1 Migrate, host1 RunHooks", MOVE_OUTCOME_FAILED },
        { "host1 RunHooks", "host1 RunHooks, host1 RunHooks", MOVE_OUTCOME_FAILED },
        { "host2 RunHooks", "host1 RunHooks, host1 Migrate, host2 RunHooks", MOVE_OUTCOME_MOVED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new();

        world->no_vnics = world->has_hooks = world->nothing_to_copy = TRUE;
        world->fail = cases[i].fail;
        world->code = FAULT_PROGRAM_FAILED;
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_cmpint(result->outcome, ==, cases[i].outcome);
        world_assert_calls(world, 0, cases[i].calls);
    }
}

static void
test_hooks_of_a_guest_with_vnics_are_left_to_detach_and_attach(void)
{
    g_autoptr(World) world = world_new();

    world->has_hooks = TRUE;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    for (guint i = 0; i < world->calls->len; i++)
        g_assert_null(strstr(world->calls->pdata[i], "RunHooks"));
}

/* Else the guest would miss on the destination what only lies in the base. */
static void
test_incremental_targets_lie_on_what_the_source_has(void)
{
    json_auto_t *options = json_pack("{s:b}", "incremental", TRUE);
    json_auto_t *base = json_pack("[{s:s, s:s, s:i, s:s}]", "path", "/images/base", "format", "raw",
                                  "sizeBytes", 4096, "digest", "d1");
    const MoveRequest request = { .guest = "web1", .lease_seconds = 1, .options = options };
    g_autoptr(World) world = world_new();

    world->no_vnics = world->has_base = TRUE;
    g_autoptr(MoveResult) whole = world_run(world);
    g_assert_no_error(whole->error);
    g_assert_null(json_object_get(json_array_get(world->targets, 0), "backing"));

    g_autoptr(World) other = world_new();
    other->no_vnics = other->has_base = TRUE;
    g_autoptr(MoveResult) result = world_run_with(other, &request);
    g_assert_no_error(result->error);
    world_assert_calls(other, 0, "host1 DigestImages, host2 CreateTargets, host1 Migrate");
    g_assert_true(json_equal(json_object_get(json_array_get(other->targets, 0), "backing"), base));

    g_autoptr(World) broken = world_new();
    broken->no_vnics = broken->has_base = TRUE;
    broken->fail = "host1 DigestImages";
    broken->code = FAULT_PROGRAM_FAILED;
    g_autoptr(MoveResult) failed = world_run_with(broken, &request);
    g_assert_error(failed->error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_true(failed->restored);
    world_assert_calls(broken, 0, "host1 DigestImages");
}

static void
test_refuses_before_anything_changes(void)
{
    static const struct {
        gboolean no_bond, no_agent, impossible_disk;
        const char *source, *destination;
        FaultCode code;
    } cases[] = {
        { TRUE, FALSE, FALSE, "running", NULL, FAULT_BOND_UNFIT },
        { FALSE, TRUE, FALSE, "running", NULL, FAULT_AGENT_UNAVAILABLE },
        { FALSE, FALSE, TRUE, "running", NULL, FAULT_DISK_UNSUPPORTED },
        { FALSE, FALSE, FALSE, "shutoff", NULL, FAULT_GUEST_NOT_RUNNING },
        { FALSE, FALSE, FALSE, "paused", NULL, FAULT_GUEST_NOT_RUNNING },
        { FALSE, FALSE, FALSE, NULL, NULL, FAULT_GUEST_NOT_FOUND },
        { FALSE, FALSE, FALSE, "running", "running", FAULT_GUEST_BUSY },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new();
        world->no_bond = cases[i].no_bond;
        world->no_agent = cases[i].no_agent;
        world->impossible_disk = cases[i].impossible_disk;
        world->source_state = cases[i].source;
        world->destination_state = cases[i].destination;
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_error(result->error, FAULT, (int)cases[i].code);
        g_assert_cmpstr(fault_remedy(result->error), !=, "");
        g_assert_true(result->restored);
        g_assert_cmpuint(world->calls->len, ==, 0);
    }
}

static void
test_checks_run_while_the_hosts_are_described(void)
{
    g_autoptr(World) world = world_new();

    world->no_vnics = world->check_waits = TRUE;
    g_autoptr(MoveResult) result = world_run_checked(world, FALSE);
    g_assert_true(world->destination_described);
    g_assert_false(world->waited_in_vain);
    g_assert_no_error(result->error);
    world_assert_calls(world, 0, "host2 CreateTargets, host1 Migrate");
}

static void
test_nothing_is_changed_that_the_checks_refuse(void)
{
    static const char *const hosts[] = { "host1", "host2" };

    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autoptr(World) world = world_new();

        world->no_vnics = TRUE;
        world->blocked = hosts[i];
        g_autoptr(MoveResult) result = world_run_checked(world, FALSE);
        g_assert_error(result->error, FAULT, FAULT_CHECK_FAILED);
        g_assert_true(result->restored);
        world_assert_calls(world, 0, "");
    }
}

/* They say what helps, and how to go on in spite of it. */
static void
test_checks_are_believed_rather_than_the_step_that_failed(void)
{
    g_autoptr(World) world = world_new();

    world->source_state = "paused";
    world->blocked = "host1";
    g_autoptr(MoveResult) result = world_run_checked(world, FALSE);
    g_assert_error(result->error, FAULT, FAULT_CHECK_FAILED);

    g_autoptr(World) other = world_new();
    other->source_state = "paused";
    g_autoptr(MoveResult) unseen = world_run_checked(other, FALSE);
    g_assert_error(unseen->error, FAULT, FAULT_GUEST_NOT_RUNNING);
}

static void
test_a_way_that_the_caller_goes_itself_is_not_tried(void)
{
    for (int known = 0; known < 2; known++) {
        g_autoptr(World) world = world_new();

        world->no_vnics = TRUE;
        g_autoptr(MoveResult) result = world_run_checked(world, known);
        g_assert_no_error(result->error);
        g_assert_cmpuint(world->logins, ==, known ? 0 : 1);
    }
}

/* Else libvirt there would not know the file that the guest's definition means. */
static void
test_target_of_a_volume_is_one(void)
{
    g_autoptr(World) world = world_new();

    world->no_vnics = world->in_pool = TRUE;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_no_error(result->error);
    const json_t *pool = json_object_get(json_array_get(world->targets, 0), "pool");
    g_assert_cmpstr(json_string_value(pool), ==, "images");
}

static void
test_sets_up_the_bond_first_if_told_to(void)
{
    g_autoptr(World) world = world_new();

    world->no_bond = TRUE;
    g_autoptr(MoveResult) result = world_run_with(
        world, &(MoveRequest) { .guest = "web1", .lease_seconds = 1, .set_up_bond = TRUE });
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    world_assert_calls(world, 0,
                       "host2 ListFunctions, host1 SetUpBond, host2 Reserve, host2 CreateTargets, "
                       "host1 Detach, host1 Migrate, host2 Attach, host1 Release network");
}

static void
test_only_chosen_disks_are_copied(void)
{
    static const struct {
        const char *disks[2];
        gboolean unsafe;
        FaultCode code; /* FAULT_COUNT: moves */
    } cases[] = {
        { { "vda", NULL }, FALSE, FAULT_COUNT },
        { { "vdz", NULL }, FALSE, FAULT_INVALID_ARGUMENT },
        { { "sda", NULL }, FALSE, FAULT_DISK_UNSUPPORTED },
        { { NULL, NULL }, FALSE, FAULT_DISK_UNSUPPORTED },
        { { NULL, NULL }, TRUE, FAULT_COUNT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new();
        world->no_vnics = TRUE;
        g_autoptr(MoveResult) result =
            world_run_with(world, &(MoveRequest) { .guest = "web1",
                                                   .lease_seconds = 1,
                                                   .disks = cases[i].disks,
                                                   .unsafe = cases[i].unsafe });
        if (cases[i].code == FAULT_COUNT)
            g_assert_no_error(result->error);
        else
            g_assert_error(result->error, FAULT, (int)cases[i].code);
        world_assert_calls(world, 0,
                           cases[i].code != FAULT_COUNT ? ""
                           : cases[i].disks[0]          ? "host2 CreateTargets, host1 Migrate"
                                                        : "host1 Migrate");
    }
}

typedef struct {
    const char *call;
    guint position; /* of the first call after it */
    const char *undone;
} StepCase;

static const StepCase step_cases[] = {
    { "host2 ListFunctions", 1, "" },
    { "host2 Reserve", 2, "" },
    { "host2 CreateTargets", 3, "host2 Release network" },
    { "host1 Detach", 4, "host2 Release storage, host2 Release network" },
    { "host1 Migrate", 5, "host1 Release network, host2 Release storage, host2 Release network" },
};

static void
test_each_failing_step_undoes_those_before(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(step_cases); i++) {
        g_autoptr(World) world = world_new();
        world->fail = step_cases[i].call;
        world->code = FAULT_HYPERVISOR_FAILED;
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_FAILED);
        g_assert_error(result->error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_assert_true(result->restored);
        world_assert_calls(world, step_cases[i].position, step_cases[i].undone);
        world_assert_nothing_held(world);
    }
}

static void
test_leases_whose_answer_was_lost_are_found_and_undone(void)
{
    static const StepCase lost[] = {
        { "host2 Reserve", 2, "host2 Release network" },
        { "host2 CreateTargets", 3, "host2 Release storage, host2 Release network" },
        { "host1 Detach", 4,
          "host1 Release network, host2 Release storage, host2 Release network" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lost); i++) {
        g_autoptr(World) world = world_new();
        world->fail = lost[i].call;
        world->code = FAULT_TIMED_OUT;
        world->act_though_failing = TRUE;
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_true(result->restored);
        world_assert_calls(world, lost[i].position, lost[i].undone);
        world_assert_nothing_held(world);
    }
}

static void
test_cancelling_during_each_step_undoes_it_and_those_before(void)
{
    static const StepCase cancelled[] = {
        { "host2 ListFunctions", 1, "" },
        { "host2 Reserve", 2, "host2 Release network" },
        { "host2 CreateTargets", 3, "host2 Release storage, host2 Release network" },
        { "host1 Detach", 4,
          "host1 Release network, host2 Release storage, host2 Release network" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cancelled); i++) {
        g_autoptr(World) world = world_new();
        world->cancel_at = cancelled[i].call;
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_error(result->error, FAULT, FAULT_CANCELLED);
        g_assert_true(result->restored);
        world_assert_calls(world, cancelled[i].position, cancelled[i].undone);
        world_assert_nothing_held(world);
    }
}

static void
test_cancelling_after_the_guest_left_does_not_bring_it_back(void)
{
    g_autoptr(World) world = world_new();

    world->cancel_at = "host1 Migrate";
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    g_assert_no_error(result->error);
    g_assert_cmpuint(world->notes->len, ==, 1);
    world_assert_calls(world, 5, "host2 Attach, host1 Release network");
}

static void
test_guest_on_destination_counts_more_than_a_failed_call(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Migrate";
    world->code = FAULT_DAEMON_UNAVAILABLE;
    world->act_though_failing = TRUE;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    world_assert_calls(world, 5, "host2 Attach, host1 Release network");
}

static void
test_nothing_is_undone_while_nobody_knows_where_the_guest_is(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Migrate";
    world->code = FAULT_MIGRATION_FAILED;
    world->act_though_failing = TRUE;
    world->silent_after_migrate = TRUE;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_error(result->error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_false(result->restored);
    world_assert_calls(world, 5, "");
}

static void
test_guest_ended_on_either_side_leaves_its_files_alone(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Migrate";
    world->code = FAULT_MIGRATION_FAILED;
    world->act_though_failing = TRUE;
    world->state_after_migrate = NULL;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_error(result->error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    world_assert_calls(world, 5, "");
}

static void
test_failing_undo_does_not_stop_the_rest(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host2 Release storage";
    world->code = FAULT_HYPERVISOR_FAILED;
    world->cancel_at = "host1 Detach";
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_error(result->error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_false(result->restored);
    g_assert_nonnull(strstr(result->error->message, "target files on host2"));
    g_assert_nonnull(strstr(fault_remedy(result->error), "migprep status --host host2"));
    world_assert_calls(world, 4,
                       "host1 Release network, host2 Release storage, host2 Release network");
}

static void
test_functions_attached_before_we_asked_count(void)
{
    g_autoptr(World) world = world_new();

    world->reservation_over = TRUE;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    g_assert_cmpstr(json_string_value(json_array_get(result->functions, 0)), ==, "0000:01:10.4");
}

static void
test_failing_attach_leaves_the_guest_moved_but_degraded(void)
{
    for (int by_flag = 0; by_flag < 2; by_flag++) {
        g_autoptr(World) world = world_new();
        world->attach_degraded = by_flag;
        world->fail = by_flag ? NULL : "host2 Attach";
        world->code = FAULT_FUNCTION_FAILED;
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_DEGRADED);
        g_assert_cmpint(exit_status_of(fault_code(result->error)), ==, EXIT_STATUS_DEGRADED);
        g_assert_nonnull(strstr(result->error->message, "runs on host2 on its VirtIO NIC"));
        world_assert_calls(world, 5, "host2 Attach, host1 Release network");
    }
}

static void
test_failing_finish_is_a_note_since_the_guest_has_moved(void)
{
    g_autoptr(World) world = world_new();

    world->fail = "host1 Release network";
    world->code = FAULT_FUNCTION_FAILED;
    g_autoptr(MoveResult) result = world_run(world);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    g_assert_cmpuint(world->notes->len, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/move/in-the-promised-order", test_moves_in_the_promised_order);
    g_test_add_func("/move/skips-what-is-not-needed",
                    test_skips_what_a_guest_without_vnics_does_not_need);
    g_test_add_func("/move/incremental", test_incremental_targets_lie_on_what_the_source_has);
    g_test_add_func("/move/refuses-before-anything-changes", test_refuses_before_anything_changes);
    g_test_add_func("/move/checks-beside", test_checks_run_while_the_hosts_are_described);
    g_test_add_func("/move/checks-refuse", test_nothing_is_changed_that_the_checks_refuse);
    g_test_add_func("/move/checks-believed",
                    test_checks_are_believed_rather_than_the_step_that_failed);
    g_test_add_func("/move/known-way", test_a_way_that_the_caller_goes_itself_is_not_tried);
    g_test_add_func("/move/volume", test_target_of_a_volume_is_one);
    g_test_add_func("/move/sets-up-the-bond-first", test_sets_up_the_bond_first_if_told_to);
    g_test_add_func("/move/each-failing-step-undoes-those-before",
                    test_each_failing_step_undoes_those_before);
    g_test_add_func("/move/lost-answers-are-undone",
                    test_leases_whose_answer_was_lost_are_found_and_undone);
    g_test_add_func("/move/cancelling-undoes",
                    test_cancelling_during_each_step_undoes_it_and_those_before);
    g_test_add_func("/move/cancelling-too-late",
                    test_cancelling_after_the_guest_left_does_not_bring_it_back);
    g_test_add_func("/move/guest-on-destination-counts",
                    test_guest_on_destination_counts_more_than_a_failed_call);
    g_test_add_func("/move/nothing-undone-while-unknown",
                    test_nothing_is_undone_while_nobody_knows_where_the_guest_is);
    g_test_add_func("/move/guest-ended-leaves-files",
                    test_guest_ended_on_either_side_leaves_its_files_alone);
    g_test_add_func("/move/failing-undo-goes-on", test_failing_undo_does_not_stop_the_rest);
    g_test_add_func("/move/attached-before-we-asked",
                    test_functions_attached_before_we_asked_count);
    g_test_add_func("/move/failing-attach-is-degraded",
                    test_failing_attach_leaves_the_guest_moved_but_degraded);
    g_test_add_func("/move/failing-finish-is-a-note",
                    test_failing_finish_is_a_note_since_the_guest_has_moved);
    g_test_add_func("/move/only-chosen-disks-are-copied", test_only_chosen_disks_are_copied);
    g_test_add_func("/move/hooks", test_hooks_of_a_guest_without_vnics_run_where_it_is);
    g_test_add_func("/move/hooks-and-vnics",
                    test_hooks_of_a_guest_with_vnics_are_left_to_detach_and_attach);
    return g_test_run();
}
