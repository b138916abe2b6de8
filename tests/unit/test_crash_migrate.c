/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A move whose coordinator is killed at each of its calls, before or after it took effect: the
 * guest runs in one place, what it may miss is held by leases, and another move goes on. */
#include <string.h>

#include "fake/move_world.h"

/* The linker leads all of ours here: pauses pass at once. */
void __wrap_g_usleep(gulong usec);
gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);

static gsize slept_usec; /* atomic */

void
__wrap_g_usleep(gulong usec)
{
    g_atomic_pointer_add(&slept_usec, (gssize)usec);
}

gint64
__wrap_g_get_monotonic_time(void)
{
    return __real_g_get_monotonic_time() + (gint64)(gsize)g_atomic_pointer_get(&slept_usec);
}

typedef struct {
    const char *name;
    gboolean no_vnics; /* it has hooks instead, while it runs */
    gboolean no_bond, offline;
    unsigned calls; /* so many at least are struck */
} Scene;

static const Scene scenes[] = {
    { "functions-and-disks", FALSE, FALSE, FALSE, 24 },
    { "disks-and-hooks", TRUE, FALSE, FALSE, 18 },
    { "bond-first", FALSE, TRUE, FALSE, 30 },
    { "shut-off", TRUE, FALSE, TRUE, 18 },
};

/* Leases, by their place in world->tokens. */
enum { DETACHMENT, TARGETS, RESERVATION };

static const char *
wanted_state(const Scene *scene)
{
    return scene->offline ? "shutoff" : "running";
}

static World *
set_scene(const Scene *scene)
{
    World *world = world_new();

    world->no_vnics = scene->no_vnics;
    world->has_hooks = scene->no_vnics && !scene->offline;
    world->no_bond = scene->no_bond;
    world->undefines = TRUE;
    world->source_state = wanted_state(scene);
    world->state_after_migrate = wanted_state(scene);
    return world;
}

static MoveResult *
move(World *world, const Scene *scene)
{
    return world_run_with(world, &(MoveRequest) { .guest = "web1",
                                                  .lease_seconds = 1,
                                                  .offline = scene->offline,
                                                  .set_up_bond = scene->no_bond });
}

/* With the coordinator dead: what leases cannot make good must not have happened. */
static void
assert_recoverable(const World *world, const Scene *scene)
{
    const char *here = world->source_state, *there = world->destination_state;

    g_assert_true((here == NULL) != (there == NULL));
    g_assert_cmpstr(here ? here : there, ==, wanted_state(scene));
    if (world->tokens[DETACHMENT])
        g_assert_nonnull(world->tokens[RESERVATION]);
    if (world->migrated && !scene->offline) /* whose files need no lease once it is defined there */
        g_assert_nonnull(world->tokens[TARGETS]);
    if (world->migrated && !scene->no_vnics)
        g_assert_nonnull(world->tokens[RESERVATION]);
}

/* Each daemon ends its own. */
static void
let_leases_end(World *world)
{
    for (size_t i = 0; i < G_N_ELEMENTS(world->tokens); i++)
        g_clear_pointer(&world->tokens[i], g_free);
}

/* The guest gets there; if it was there already, nothing is done to it. */
static void
move_again(World *world, const Scene *scene)
{
    gboolean was_there = world->destination_state != NULL;
    guint before = world->calls->len;

    world->dies_at = 0;
    let_leases_end(world);
    g_autoptr(MoveResult) result = move(world, scene);
    if (was_there) {
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_FAILED);
        g_assert_true(result->restored);
        g_assert_cmpuint(world->calls->len, ==, before);
    } else {
        g_assert_no_error(result->error);
        g_assert_cmpint(result->outcome, ==, MOVE_OUTCOME_MOVED);
    }
    g_assert_null(world->source_state);
    g_assert_cmpstr(world->destination_state, ==, wanted_state(scene));
}

/* FALSE: a move makes fewer calls. */
static gboolean
kill_at(const Scene *scene, unsigned number, gboolean late)
{
    g_autoptr(World) world = set_scene(scene);

    world->dies_at = number;
    world->dies_late = late;
    g_autoptr(MoveResult) result = move(world, scene);
    gboolean died = world->made >= number;
    if (died)
        assert_recoverable(world, scene);
    move_again(world, scene);
    return died;
}

static void
test_killed_move_is_finished_by_the_next(const void *data)
{
    const Scene *scene = data;
    unsigned struck = 0;

    for (int late = FALSE; late <= TRUE; late++) {
        for (unsigned number = 1; kill_at(scene, number, late); number++)
            struck++;
    }
    g_print("# %u points were struck\n", struck);
    g_assert_cmpuint(struck, >=, scene->calls);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(scenes); i++) {
        g_autofree char *path = g_strdup_printf("/crash-migrate/%s", scenes[i].name);

        g_test_add_data_func(path, &scenes[i], test_killed_move_is_finished_by_the_next);
    }
    return g_test_run();
}
