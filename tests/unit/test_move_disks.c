/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves of guests that are shut off, or whose disks go elsewhere, and what a move says afterwards.
 */
#include <string.h>

#include "common/cli/exit_status.h"
#include "fake/move_world.h"

static const MoveRequest offline = { .guest = "web1", .lease_seconds = 1, .offline = TRUE };

static World *
world_shut_off(void)
{
    World *world = world_new();

    world->source_state = "shutoff";
    world->state_after_migrate = "shutoff";
    world->no_vnics = world->no_agent = world->nothing_to_copy = world->undefines = TRUE;
    return world;
}

static void
test_moves_only_the_definition_of_a_guest_that_is_shut_off(void)
{
    g_autoptr(World) world = world_shut_off();
    g_autoptr(MoveResult) result = world_run_with(world, &offline);

    g_assert_no_error(result->error);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    world_assert_calls(world, 0, "host1 Migrate");
}

static void
test_definition_decides_where_a_guest_that_is_shut_off_is(void)
{
    for (int moved = 0; moved <= 1; moved++) {
        g_autoptr(World) world = world_shut_off();
        world->fail = "host1 Migrate";
        world->code = FAULT_HYPERVISOR_FAILED;
        world->act_though_failing = moved;
        g_autoptr(MoveResult) result = world_run_with(world, &offline);
        g_assert_cmpint(result->outcome, ==, moved ? MOVE_OUTCOME_MOVED : MOVE_OUTCOME_FAILED);
        g_assert_cmpint(result->restored, ==, !moved);
    }
}

static void
test_offline_needs_a_guest_that_is_shut_off_and_has_no_functions(void)
{
    static const struct {
        const char *state;
        gboolean has_vnics;
        FaultCode code;
    } cases[] = {
        { "running", FALSE, FAULT_GUEST_BUSY },
        { "paused", FALSE, FAULT_GUEST_BUSY },
        { "shutoff", TRUE, FAULT_INVALID_ARGUMENT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_shut_off();
        world->source_state = cases[i].state;
        world->no_vnics = !cases[i].has_vnics;
        g_autoptr(MoveResult) result = world_run_with(world, &offline);
        g_assert_error(result->error, FAULT, (int)cases[i].code);
        g_assert_cmpstr(fault_remedy(result->error), !=, "");
        for (guint k = 0; k < world->calls->len; k++)
            g_assert_cmpstr(g_ptr_array_index(world->calls, k), ==, "host2 ListFunctions");
    }
}

static void
test_disks_of_a_guest_that_is_shut_off_are_sent_before_its_definition(void)
{
    g_autoptr(World) world = world_shut_off();

    world->nothing_to_copy = FALSE;
    g_autoptr(MoveResult) result = world_run_with(world, &offline);
    g_assert_no_error(result->error);
    g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    world_assert_calls(world, 0,
                       "host2 CreateTargets, host2 OpenTargets, host1 SendDisks, "
                       "host2 CloseTargets, host1 Migrate, host2 Release storage");
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(world->sent, 0), "target")),
                    ==, "vda");
    world_assert_nothing_held(world);
}

static void
test_a_disk_that_was_not_sent_leaves_the_definition_where_it_is(void)
{
    static const char *const steps[] = { "host2 CreateTargets", "host2 OpenTargets",
                                         "host1 SendDisks", "host2 CloseTargets", "host1 Migrate" };

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        for (int cancelled = 0; cancelled <= 1; cancelled++) {
            g_autoptr(World) world = world_shut_off();
            world->nothing_to_copy = FALSE;
            world->fail = steps[i];
            world->code = FAULT_PROGRAM_FAILED;
            world->cancel_at = cancelled ? steps[i] : NULL;
            g_autoptr(MoveResult) result = world_run_with(world, &offline);
            g_assert_cmpint(fault_code(result->error), ==,
                            cancelled ? FAULT_CANCELLED : FAULT_PROGRAM_FAILED);
            g_assert_true(result->restored);
            g_assert_cmpstr(world->source_state, ==, "shutoff");
            world_assert_nothing_held(world);
        }
    }
}

static void
test_every_result_says_where_the_guest_is(void)
{
    static const struct {
        const char *source, *destination, *host, *state;
        gboolean silent;
    } cases[] = {
        { "running", NULL, "source", "running", FALSE },
        { "running", "shutoff", "source", "running", FALSE },
        { "shutoff", "running", "destination", "running", FALSE },
        { NULL, "paused", "destination", "paused", FALSE },
        { "shutoff", NULL, "source", "shutoff", FALSE },
        { NULL, "shutoff", "destination", "shutoff", FALSE },
        { "shutoff", "shutoff", "both", "shutoff", FALSE },
        { "paused", "running", "both", "paused", FALSE },
        { NULL, NULL, "unknown", NULL, FALSE },
        { "running", NULL, "unknown", NULL, TRUE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(World) world = world_new();
        world->source_state = cases[i].source;
        world->destination_state = cases[i].destination;
        world->silent_after_migrate = world->migrated = cases[i].silent;
        world->no_agent = TRUE; /* so that it always fails at once */
        g_autoptr(MoveResult) result = world_run(world);
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_FAILED);
        g_assert_cmpstr(result->place.host, ==, cases[i].host);
        g_assert_cmpstr(result->place.state, ==, cases[i].state);
    }
    g_autoptr(World) world = world_new();
    g_autoptr(MoveResult) moved = world_run(world);
    g_assert_cmpstr(moved->place.host, ==, "destination");
    g_assert_cmpstr(moved->place.state, ==, "running");
}

static void
test_what_did_not_go_along_is_named(void)
{
    g_autoptr(World) live = world_new();
    g_autoptr(World) still = world_shut_off();

    live->has_local = still->has_local = TRUE;
    g_autoptr(MoveResult) moved = world_run(live);
    g_assert_cmpuint(json_array_size(moved->left), ==, 1);
    g_assert_cmpstr(json_string_value(json_object_get(json_array_get(moved->left, 0), "kind")), ==,
                    "medium");
    g_autoptr(MoveResult) defined = world_run_with(still, &offline);
    g_assert_no_error(defined->error);
    g_assert_cmpuint(json_array_size(defined->left), ==, 2);
}

static void
test_disks_with_another_path_there_are_copied_to_it(void)
{
    static const struct {
        const char *target, *path;
        FaultCode code; /* FAULT_COUNT: moves */
    } cases[] = {
        { "vda", "/srv/b.qcow2", FAULT_COUNT },
        { "vdz", "/srv/b.qcow2", FAULT_INVALID_ARGUMENT },
        { "sda", "/srv/b.qcow2", FAULT_DISK_UNSUPPORTED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_auto_t *options = json_pack("{s:[{s:s, s:s}]}", "diskPaths", "target", cases[i].target,
                                         "path", cases[i].path);
        const MoveRequest request = { .guest = "web1", .lease_seconds = 1, .options = options };
        g_autoptr(World) world = world_new();

        world->no_vnics = TRUE;
        g_autoptr(MoveResult) result = world_run_with(world, &request);
        if (cases[i].code != FAULT_COUNT) {
            g_assert_cmpint(fault_code(result->error), ==, cases[i].code);
            g_assert_nonnull(strstr(fault_object(result->error), cases[i].target));
            g_assert_cmpuint(world->calls->len, ==, 0);
            continue;
        }
        g_assert_no_error(result->error);
        const json_t *target = json_array_get(world->targets, 0);
        g_assert_cmpstr(json_string_value(json_object_get(target, "path")), ==, cases[i].path);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/move/moves-only-the-definition-of-a-guest-that-is-shut-off",
                    test_moves_only_the_definition_of_a_guest_that_is_shut_off);
    g_test_add_func("/move/definition-decides-where-a-guest-that-is-shut-off-is",
                    test_definition_decides_where_a_guest_that_is_shut_off_is);
    g_test_add_func("/move/offline-needs-a-guest-that-is-shut-off-and-shared-disks",
                    test_offline_needs_a_guest_that_is_shut_off_and_has_no_functions);
    g_test_add_func("/move/offline-sends-disks",
                    test_disks_of_a_guest_that_is_shut_off_are_sent_before_its_definition);
    g_test_add_func("/move/offline-not-sent",
                    test_a_disk_that_was_not_sent_leaves_the_definition_where_it_is);
    g_test_add_func("/move/place", test_every_result_says_where_the_guest_is);
    g_test_add_func("/move/left", test_what_did_not_go_along_is_named);
    g_test_add_func("/move/other-paths", test_disks_with_another_path_there_are_copied_to_it);
    return g_test_run();
}
