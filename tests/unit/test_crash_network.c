/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fault at each point of each of netprepd's operations: after a restart its leases tell the truth
 * about the host, and after their deadlines nothing is left. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/crash_count.h"
#include "fake/migration_world.h"
#include "fake/network_audit.h"
#include "netprep/bond_setup.h"
#include "netprep/description.h"
#include "netprep/force_release.h"
#include "netprep/reservation.h"

/*
 * Theory of operation. A play is an operation and an injection that strikes at its k-th point; k
 * grows until there is no such point. Then the daemon is restarted in any case, and in some plays
 * struck once more while it puts things in order. Two audits follow: as soon as nothing changes any
 * more, and when all deadlines have passed.
 */
typedef struct {
    const char *name;
    gboolean at_destination;                /* whose daemon is struck */
    gboolean lets_go;                       /* the guest may be left without its VF */
    void (*prepare)(MigrationWorld *world); /* NULL: nothing */
    void (*run)(MigrationWorld *world);
} Operation;

typedef struct {
    const Operation *operation;
    Injection what, later;
    unsigned point, later_point; /* 0: it is not struck again */
} Play;

/* A reservation of so many VFs. */
static void
reserve_some(MigrationWorld *world, unsigned count)
{
    const NetworkHost *source = daemon_process_host(world->source->daemon);
    const NetworkHost *destination = daemon_process_host(world->destination->daemon);
    json_auto_t *guest = description_of_guest(source, "web1", NULL);
    json_auto_t *vnics = json_array();

    for (unsigned i = 0; i < count; i++)
        json_array_append(vnics, json_array_get(json_object_get(guest, "vnics"), 0));
    ReservationRequest request = { "coordinator", "some", "web1", WORLD_UUID, vnics, 60 };
    g_autoptr(Lease) lease = reservation_create(destination, &request, NULL);
}

static void
reserve_five(MigrationWorld *world)
{
    reserve_some(world, 5);
}

static void
reserve(MigrationWorld *world)
{
    (void)migration_world_reserve(world);
}

static void
renew(MigrationWorld *world)
{
    LeaseStore *store = daemon_process_host(world->destination->daemon)->leases;
    g_autoptr(GPtrArray) leases = migration_host_leases(world->destination);
    const Lease *lease = leases->pdata[0];

    (void)lease_store_renew(store, lease->id, lease->generation, 60, NULL);
}

static void
force_on(const MigrationHost *host)
{
    g_autoptr(GPtrArray) leases = migration_host_leases(host);
    const Lease *lease = leases->pdata[0];
    ForceReleaseRequest request = { lease->id, lease->generation, "uid 0", "it is stuck" };
    g_autoptr(Job) job = force_release_start(daemon_process_host(host->daemon), &request, NULL);

    if (job)
        json_decref(job_wait(job, NULL));
}

static void
force_at_destination(MigrationWorld *world)
{
    force_on(world->destination);
}

static void
force_at_source(MigrationWorld *world)
{
    force_on(world->source);
}

static void
detach(MigrationWorld *world)
{
    (void)migration_world_detach(world, "detach");
}

static void
arrive(MigrationWorld *world)
{
    g_assert_true(migration_world_reserve(world));
    g_assert_true(migration_world_detach(world, "detach"));
    g_assert_true(migration_world_depart(world));
    g_assert_true(migration_world_arrive(world, TRUE));
}

static void
attach(MigrationWorld *world)
{
    (void)migration_world_attach(world);
}

static void
arrive_and_attach(MigrationWorld *world)
{
    arrive(world);
    g_assert_true(migration_world_attach(world));
}

static void
unbond(MigrationWorld *world)
{
    fake_guest_set_bonded(world->guest, FALSE);
}

static void
set_up_bond(MigrationWorld *world)
{
    const BondSetupRequest request = { 0 };
    g_autoptr(Job) job =
        bond_setup_start(daemon_process_host(world->source->daemon), "web1", &request, NULL);

    if (job)
        json_decref(job_wait(job, NULL));
    fake_guest_set_bonded(world->guest, TRUE); /* what became of it is not the host's affair */
}

/* The deadline of what it holds passes. */
static void
expire(MigrationWorld *world)
{
    migration_world_look(world);
}

static void
reserve_and_expire(MigrationWorld *world)
{
    reserve_five(world);
    migration_host_expire(world->destination);
}

static void
detach_and_expire(MigrationWorld *world)
{
    detach(world);
    migration_host_expire(world->source);
}

static const Operation operations[] = {
    { "reserve", TRUE, FALSE, NULL, reserve },
    { "reserve-five", TRUE, FALSE, NULL, reserve_five },
    { "renew", TRUE, FALSE, reserve, renew },
    { "release-reservation", TRUE, FALSE, reserve_five, migration_world_release },
    { "expire-reservation", TRUE, FALSE, reserve_and_expire, expire },
    { "force-reservation", TRUE, FALSE, reserve_five, force_at_destination },
    { "detach", FALSE, FALSE, NULL, detach },
    { "release-detachment", FALSE, FALSE, detach, migration_world_release },
    { "expire-detachment", FALSE, FALSE, detach_and_expire, expire },
    { "force-detachment", FALSE, TRUE, detach, force_at_source },
    { "attach", TRUE, FALSE, arrive, attach },
    { "release-attached", TRUE, FALSE, arrive_and_attach, migration_world_release },
    { "set-up-bond", FALSE, FALSE, unbond, set_up_bond },
};

static void
audit(const MigrationWorld *world, const Operation *operation)
{
    const MigrationHost *home =
        migration_host_runs_guest(world->source) ? world->source : world->destination;

    network_audit_empty(world->source);
    network_audit_empty(world->destination);
    g_assert_true(migration_host_runs_guest(home));
    if (!operation->lets_go)
        g_assert_true(home->plugged >= 0 && strcmp(fake_guest_active(world->guest), "vf") == 0);
}

static void
recover(MigrationWorld *world, MigrationHost *host, const Play *play)
{
    if (play->later_point > 0) {
        host->next = play->later;
        host->next_point = play->later_point;
    }
    migration_host_restart(host);
    migration_world_settle(world);
    injector_arm(host->injector, INJECT_NOTHING, 0);
    migration_world_settle(world);
    network_audit(world->source);
    network_audit(world->destination);
    migration_world_expire(world);
    migration_world_settle(world);
    audit(world, play->operation);
}

/* How often it was struck. */
static unsigned
run_play(const Play *play)
{
    g_autoptr(MigrationWorld) world = migration_world_new();
    MigrationHost *host = play->operation->at_destination ? world->destination : world->source;

    g_test_message("%s at point %u, later %s at point %u", injection_name(play->what), play->point,
                   injection_name(play->later), play->later_point);
    g_rand_set_seed(host->random, play->point);
    if (play->operation->prepare)
        play->operation->prepare(world);
    injector_arm(host->injector, play->what, play->point);
    play->operation->run(world);
    if (injector_strikes(host->injector) == 0)
        return 0;
    recover(world, host, play);
    return injector_strikes(host->injector);
}

/* Which second fault goes with a play: each comes at each moment of the recovery, in turns. */
static void
choose_later(Play *play, unsigned turn)
{
    play->later = INJECT_KILL + turn % (INJECTIONS - INJECT_KILL);
    play->later_point = 1 + turn / 3 % 40;
}

static void
test_operation(const void *data)
{
    const Operation *operation = data;
    unsigned stride = crash_count_stride(), turn = 0;

    for (Injection what = INJECT_KILL; what < INJECTIONS; what++) {
        for (unsigned point = 1 + turn % stride;; point += stride, turn++) {
            Play play = { .operation = operation, .what = what, .point = point };

            if (turn % 2 == 1)
                choose_later(&play, turn);
            unsigned strikes = run_play(&play);
            if (strikes == 0)
                break;
            crash_count_add(strikes);
        }
    }
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *path = g_strdup_printf("/crash-network/%s", operations[i].name);

        g_test_add_data_func(path, &operations[i], test_operation);
    }
    return crash_count_finish(g_test_run(), 800, 3400);
}
