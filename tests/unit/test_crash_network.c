/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fault at each point of each of netprepd's operations: after a restart its leases tell the truth
 * about the host, and after their deadlines nothing is left. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "fake/crash_tour.h"
#include "fake/migration_world.h"
#include "fake/network_audit.h"
#include "netprep/bond_setup.h"
#include "netprep/description.h"
#include "netprep/force_release.h"
#include "netprep/reservation.h"

#define STRIDE 5

/* Theory of operation: see crash_tour.h. Two audits follow each play: as soon as nothing changes
 * any more, and when all deadlines have passed. */
typedef struct {
    const char *name;
    gboolean at_destination;                    /* whose daemon is struck */
    gboolean lets_go;                           /* the guest may be left without its VF */
    gboolean has_two;                           /* the guest has two vNICs */
    gboolean (*prepare)(MigrationWorld *world); /* NULL: nothing */
    gboolean (*run)(MigrationWorld *world);     /* whether it went well */
} Operation;

/* A reservation of so many VFs. */
static gboolean
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
    return lease != NULL;
}

static gboolean
reserve_five(MigrationWorld *world)
{
    return reserve_some(world, 5);
}

static gboolean
reserve(MigrationWorld *world)
{
    return migration_world_reserve(world);
}

static gboolean
renew(MigrationWorld *world)
{
    LeaseStore *store = daemon_process_host(world->destination->daemon)->leases;
    g_autoptr(GPtrArray) leases = migration_host_leases(world->destination);
    const Lease *lease = leases->pdata[0];

    return lease_store_renew(store, lease->id, lease->generation, 60, NULL);
}

static gboolean
force_on(const MigrationHost *host)
{
    g_autoptr(GPtrArray) leases = migration_host_leases(host);
    const Lease *lease = leases->pdata[0];
    ForceReleaseRequest request = { lease->id, lease->generation, "uid 0", "it is stuck" };
    g_autoptr(Job) job = force_release_start(daemon_process_host(host->daemon), &request, NULL);

    json_auto_t *result = job ? job_wait(job, NULL) : NULL;

    return result != NULL;
}

static gboolean
force_at_destination(MigrationWorld *world)
{
    return force_on(world->destination);
}

static gboolean
force_at_source(MigrationWorld *world)
{
    return force_on(world->source);
}

static gboolean
detach(MigrationWorld *world)
{
    return migration_world_detach(world, "detach");
}

static gboolean
hold_fast(MigrationWorld *world)
{
    fake_hypervisor_set_unplug(world->source->hypervisor, "hostdev0", FAKE_UNPLUG_REFUSED);
    return TRUE;
}

/* It goes well if it fails. */
static gboolean
detach_in_vain(MigrationWorld *world)
{
    return !migration_world_detach(world, "detach");
}

static gboolean
come_back(MigrationWorld *world)
{
    return migration_world_reserve(world) && migration_world_detach(world, "detach") &&
           migration_world_depart(world) && !migration_world_arrive(world, FALSE);
}

static gboolean
arrive(MigrationWorld *world)
{
    return migration_world_reserve(world) && migration_world_detach(world, "detach") &&
           migration_world_depart(world) && migration_world_arrive(world, TRUE);
}

static gboolean
attach(MigrationWorld *world)
{
    return migration_world_attach(world);
}

static gboolean
arrive_and_attach(MigrationWorld *world)
{
    return arrive(world) && migration_world_attach(world);
}

static gboolean
unbond(MigrationWorld *world)
{
    fake_guest_set_bonded(world->guest, FALSE);
    return TRUE;
}

static gboolean
set_up_bond(MigrationWorld *world)
{
    const BondSetupRequest request = { 0 };
    g_autoptr(Job) job =
        bond_setup_start(daemon_process_host(world->source->daemon), "web1", &request, NULL);
    json_auto_t *result = job ? job_wait(job, NULL) : NULL;

    fake_guest_set_bonded(world->guest, TRUE); /* what became of it is not the host's affair */
    return result != NULL;
}

static gboolean
release(MigrationWorld *world)
{
    migration_world_release(world);
    return TRUE;
}

/* The deadline of what it holds passes. */
static gboolean
expire(MigrationWorld *world)
{
    migration_world_look(world);
    return TRUE;
}

static gboolean
reserve_and_expire(MigrationWorld *world)
{
    gboolean good = reserve_five(world);

    migration_host_expire(world->destination);
    return good;
}

static gboolean
detach_and_expire(MigrationWorld *world)
{
    gboolean good = detach(world);

    migration_host_expire(world->source);
    return good;
}

static const Operation operations[] = {
    { "reserve", TRUE, FALSE, FALSE, NULL, reserve },
    { "reserve-five", TRUE, FALSE, FALSE, NULL, reserve_five },
    { "renew", TRUE, FALSE, FALSE, reserve, renew },
    { "release-reservation", TRUE, FALSE, FALSE, reserve_five, release },
    { "expire-reservation", TRUE, FALSE, FALSE, reserve_and_expire, expire },
    { "force-reservation", TRUE, FALSE, FALSE, reserve_five, force_at_destination },
    { "detach", FALSE, FALSE, FALSE, NULL, detach },
    { "detach-in-vain", FALSE, FALSE, FALSE, hold_fast, detach_in_vain },
    { "release-after-abort", FALSE, FALSE, FALSE, come_back, release },
    { "release-detachment", FALSE, FALSE, FALSE, detach, release },
    { "expire-detachment", FALSE, FALSE, FALSE, detach_and_expire, expire },
    { "force-detachment", FALSE, TRUE, FALSE, detach, force_at_source },
    { "attach", TRUE, FALSE, FALSE, arrive, attach },
    { "release-attached", TRUE, FALSE, FALSE, arrive_and_attach, release },
    { "set-up-bond", FALSE, FALSE, FALSE, unbond, set_up_bond },
    { "reserve-two", TRUE, FALSE, TRUE, NULL, reserve },
    { "detach-two", FALSE, FALSE, TRUE, NULL, detach },
    { "detach-two-in-vain", FALSE, FALSE, TRUE, hold_fast, detach_in_vain },
    { "release-two-after-abort", FALSE, FALSE, TRUE, come_back, release },
    { "expire-detachment-of-two", FALSE, FALSE, TRUE, detach_and_expire, expire },
    { "attach-two", TRUE, FALSE, TRUE, arrive, attach },
    { "release-two-attached", TRUE, FALSE, TRUE, arrive_and_attach, release },
};

static void
audit(const MigrationWorld *world, const Operation *operation)
{
    const MigrationHost *home =
        migration_host_runs_guest(world->source) ? world->source : world->destination;

    network_audit_empty(world->source);
    network_audit_empty(world->destination);
    g_assert_true(migration_host_runs_guest(home));
    for (unsigned vnic = 0; !operation->lets_go && vnic <= (operation->has_two ? 1 : 0); vnic++)
        g_assert_cmpint(home->plugged[vnic], >=, 0);
    if (!operation->lets_go)
        g_assert_cmpstr(fake_guest_active(world->guest), ==, "vf");
}

static void
recover(MigrationWorld *world, MigrationHost *host, const CrashPlay *play,
        const Operation *operation)
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
    audit(world, operation);
}

static unsigned
run_play(const CrashPlay *play, const void *data)
{
    const Operation *operation = data;
    g_autoptr(MigrationWorld) world =
        operation->has_two ? migration_world_new_with_two() : migration_world_new();
    MigrationHost *host = operation->at_destination ? world->destination : world->source;

    g_rand_set_seed(host->random, play->point);
    if (operation->prepare)
        g_assert_true(operation->prepare(world));
    injector_arm(host->injector, play->what, play->point);
    gboolean good = operation->run(world);
    if (injector_strikes(host->injector) == 0) {
        g_assert_true(good);
        return 0;
    }
    recover(world, host, play, operation);
    return injector_strikes(host->injector);
}

static void
test_operation(const void *data)
{
    crash_tour_run(STRIDE, run_play, data);
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
    crash_tour_add_total("/crash-network/enough-points", 1500, 5000);
    return g_test_run();
}
