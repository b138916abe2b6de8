/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A drain that is killed at each of its calls, before or after it took effect: another one goes on,
 * and each guest leaves once. */
#include "common/cli/drain_survey.h"
#include "fake/drain_world.h"

#define GUESTS 3

static const DrainRules rules = { .limits = { 2, 2 }, .overcommit = 4, .bandwidth_mebibytes = 100 };

/* One that moves, one that fails at first, one that is shut down. */
static DrainWorld *
new_world(void)
{
    DrainWorld *world = drain_world_new(GUESTS);

    world->guests[1].failures = 1;
    world->guests[2].mode = "pinned";
    world->guests[2].fallback = "shutdown";
    return world;
}

/* It may be dead before it has a plan. */
static void
drain(DrainWorld *world)
{
    const DrainQuestion question = { .source = world->peers[0],
                                     .destinations = world->destinations };
    g_autoptr(DrainPlan) plan = drain_survey(&question, &rules, NULL);
    g_autoptr(DrainResult) result = plan ? drain_world_run(world, plan) : NULL;
}

static void
drain_again(DrainWorld *world)
{
    g_autoptr(DrainPlan) plan = drain_world_plan(world, &rules);
    g_autoptr(DrainResult) result = drain_world_run(world, plan);

    g_assert_cmpint(result->kind, ==, DRAIN_RESULT_DRAINED);
}

/* FALSE: a drain makes fewer calls. */
static gboolean
kill_at(unsigned number, gboolean late)
{
    g_autoptr(DrainWorld) world = new_world();

    world->dies_at = number;
    world->dies_late = late;
    drain(world);
    gboolean died = world->made >= number;
    world->dies_at = 0;
    drain_again(world);
    for (guint i = 0; i < GUESTS; i++)
        g_assert_cmpint(world->guests[i].host, !=, 0);
    g_assert_cmpint(world->guests[0].host, >, 0);
    g_assert_cmpint(world->guests[2].host, ==, -1);
    return died;
}

static void
test_killed_drain_is_finished_by_the_next(void)
{
    unsigned struck = 0;

    for (int late = FALSE; late <= TRUE; late++) {
        for (unsigned number = 1; kill_at(number, late); number++)
            struck++;
    }
    g_print("# %u points were struck\n", struck);
    g_assert_cmpuint(struck, >=, 60);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crash-drain/finished-by-the-next", test_killed_drain_is_finished_by_the_next);
    return g_test_run();
}
