/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each fault at each stage of a move that copies a disk: one host runs the guest, with its data. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/storage_world.h"

/*
 * Theory of operation. A cell is a fault and a stage, named FAULT@STAGE. Coordinator and libvirt go
 * up to the stage, the fault strikes, they go on to their end, and what failed is undone; then the
 * fault is mended, deadlines pass, and all ends with the same verdict. The daemon, its leases, the
 * files and the job are real; libvirt, QEMU and the network between the hosts are not.
 */
typedef struct {
    const char *name;
    unsigned variants;
    void (*strike)(StorageWorld *world, StorageStage stage, unsigned variant);
    void (*heal)(StorageWorld *world); /* and look at what it did; NULL: nothing */
    gboolean harmless_late;            /* once the target is made the move may go well */
    gboolean leaves_foreign;           /* somebody else has put his file where the target was */
} Fault;

static void
cancel(StorageWorld *world, StorageStage stage, unsigned variant)
{
    storage_world_cancel(world);
}

/* The source's, which follows the migration; the destination's, which holds the lease. */
static void
kill_storprepd(StorageWorld *world, StorageStage stage, unsigned variant)
{
    if (variant == 0)
        migrations_leave(world->migrations);
    else if (stage == STAGE_PREPARING)
        world->answer_lost = TRUE;
    else
        storage_world_kill(world);
}

static void
kill_libvirtd(StorageWorld *world, StorageStage stage, unsigned variant)
{
    StorageHost *host = variant == 0 ? &world->source : &world->destination;

    fake_hypervisor_fail(host->fake, "get_guest", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    storage_world_break(world);
}

static void
cut_off(StorageWorld *world, StorageStage stage, unsigned variant)
{
    world->cut_off = TRUE;
    storage_world_break(world);
}

static void
reconnect(StorageWorld *world)
{
    world->cut_off = FALSE;
}

static void
stop_nfs(StorageWorld *world, StorageStage stage, unsigned variant)
{
    storage_world_stop_server(world);
}

static void
fill_up(StorageWorld *world, StorageStage stage, unsigned variant)
{
    if (stage == STAGE_PREPARING)
        world->target_size = 1ULL << 45; /* more than there is anywhere */
    else
        storage_world_break(world);
}

/* Somebody puts his own file, or a link to it, in the target's place; in the second variant the
 * move fails then, so that the target has to be removed. */
static void
replace_target(const StorageWorld *world, gboolean by_link)
{
    const StorageHost *host = &world->destination;

    (void)g_unlink(host->disk);
    if (by_link)
        g_assert_cmpint(symlink(host->foreign, host->disk), ==, 0);
    else
        g_assert_true(g_file_set_contents(host->disk, "somebody else's", -1, NULL));
}

static void
put_link(StorageWorld *world, StorageStage stage, unsigned variant)
{
    replace_target(world, TRUE);
    if (variant == 1)
        storage_world_break(world);
}

static void
put_stale_target(StorageWorld *world, StorageStage stage, unsigned variant)
{
    replace_target(world, FALSE);
    if (variant == 1)
        storage_world_break(world);
}

static void
change_size(StorageWorld *world, StorageStage stage, unsigned variant)
{
    if (stage == STAGE_PREPARING)
        world->target_size = variant == 0 ? 32768 : 131072;
    else if (stage != STAGE_COMMITTING)
        storage_world_break(world); /* QEMU finds that the sizes differ */
}

static void
deny_access(StorageWorld *world, StorageStage stage, unsigned variant)
{
    storage_world_deny_qemu(world);
}

static void
assert_denied(StorageWorld *world)
{
    g_assert_cmpint(world->denied, !=, storage_host_runs_guest(&world->destination));
}

static const Fault faults[] = {
    { "cancel", 1, cancel, NULL, FALSE, FALSE },
    { "storprepd-killed", 2, kill_storprepd, NULL, TRUE, FALSE },
    { "libvirtd-killed", 2, kill_libvirtd, NULL, FALSE, FALSE },
    { "destination-cut-off", 1, cut_off, reconnect, FALSE, FALSE },
    { "nfs-server-stopped", 1, stop_nfs, storage_world_start_server, FALSE, FALSE },
    { "no-space-on-target", 1, fill_up, NULL, FALSE, FALSE },
    { "target-replaced-by-symlink", 2, put_link, NULL, TRUE, TRUE },
    { "stale-target", 2, put_stale_target, NULL, TRUE, TRUE },
    { "wrong-size", 2, change_size, NULL, FALSE, FALSE },
    { "access-denied-to-qemu", 1, deny_access, assert_denied, TRUE, FALSE },
};

static const char *const stage_names[STAGES] = { "preparing", "copying", "switching-over",
                                                 "committing" };

typedef struct {
    const Fault *fault;
    StorageStage stage;
} Cell;

static void
play(const Cell *cell, unsigned variant)
{
    g_autoptr(StorageWorld) world = storage_world_new();
    GStatBuf status;

    g_test_message("variant %u", variant);
    storage_world_go(world, cell->stage);
    if (cell->stage != STAGE_PREPARING)
        g_assert_cmpint(world->reached, ==, cell->stage);
    cell->fault->strike(world, cell->stage, variant);
    storage_world_finish(world);
    if (cell->fault->heal)
        cell->fault->heal(world);
    storage_world_settle(world);
    storage_world_check(world);
    if (cell->fault->leaves_foreign)
        g_assert_cmpint(g_lstat(world->destination.disk, &status), ==, 0);
    if (cell->stage == STAGE_COMMITTING)
        g_assert_true(storage_host_runs_guest(&world->destination));
    else if (cell->stage == STAGE_PREPARING || !cell->fault->harmless_late)
        g_assert_true(storage_host_runs_guest(&world->source));
}

static void
test_cell(const void *data)
{
    const Cell *cell = data;

    if (cell->fault->strike == deny_access && geteuid() != 0 && !g_getenv("REQUIRE_REAL")) {
        g_test_skip("needs root, to be denied access as another user");
        return;
    }
    for (unsigned variant = 0; variant < cell->fault->variants; variant++)
        play(cell, variant);
}

/* Otherwise a world in which nothing ever moves would pass. */
static void
test_without_a_fault_the_guest_moves(void)
{
    g_autoptr(StorageWorld) world = storage_world_new();

    storage_world_go(world, STAGE_COMMITTING);
    storage_world_finish(world);
    storage_world_settle(world);
    storage_world_check(world);
    g_assert_true(storage_host_runs_guest(&world->destination));
}

int
main(int argc, char **argv)
{
    static Cell cells[G_N_ELEMENTS(faults) * STAGES];

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/storage-matrix/no-fault", test_without_a_fault_the_guest_moves);
    for (gsize i = 0; i < G_N_ELEMENTS(cells); i++) {
        cells[i] = (Cell) { &faults[i / STAGES], (StorageStage)(i % STAGES) };
        g_autofree char *name = g_strdup_printf("/storage-matrix/%s@%s", cells[i].fault->name,
                                                stage_names[cells[i].stage]);

        g_test_add_data_func(name, &cells[i], test_cell);
    }
    return g_test_run();
}
