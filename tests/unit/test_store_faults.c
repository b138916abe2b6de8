/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each request to the database, and each call to libvirt, fails in turn: nothing is half done, and
 * the next try goes well. */
#include <errno.h>

#include "fake/fake_sysfs.h"
#include "fake/faulty_sql.h"
#include "fake/hypervisor_gate.h"
#include "fake/network_fixture.h"
#include "netprep/reconcile.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

#define MINUTE 60

/* Theory of operation. An operation is run on a host of its own for each request that it makes to
 * SQLite or to libvirt, which fails. It may go well all the same, if it did not need what it asked;
 * if it fails, it says so, and it goes well when it is tried again. */
typedef struct {
    const char *name;
    void (*prepare)(NetworkFixture *fixture); /* NULL: nothing */
    gboolean (*run)(NetworkFixture *fixture, GError **error);
} Operation;

/* The store. */

static Lease *
make_draft(const char *token, const char *const *functions)
{
    Lease *draft = network_lease_draft(LEASE_RESERVATION, "tester", token, "web1", FIXTURE_UUID,
                                       STATE_RESERVED, json_object());

    for (; *functions; functions++)
        g_ptr_array_add(draft->assets,
                        lease_asset_new(ASSET_FUNCTION, *functions, ASSET_RESERVED, NULL));
    return draft;
}

static gboolean
create(NetworkFixture *fixture, GError **error)
{
    static const char *const functions[] = { FIXTURE_VF, FIXTURE_VF_2, NULL };
    g_autoptr(Lease) draft = make_draft("a", functions);
    g_autoptr(Lease) lease =
        lease_store_create(fixture->host->leases, draft, MINUTE, FAULT_FUNCTION_BUSY, NULL, error);

    return lease != NULL;
}

static void
have_lease(NetworkFixture *fixture)
{
    g_assert_true(create(fixture, NULL));
}

/* What another lease holds is refused, with the name of that one if it can be read. */
static gboolean
create_rival(NetworkFixture *fixture, GError **error)
{
    static const char *const functions[] = { FIXTURE_VF, NULL };
    g_autoptr(Lease) draft = make_draft("b", functions);
    g_autoptr(GError) failure = NULL;

    g_assert_null(lease_store_create(fixture->host->leases, draft, MINUTE, FAULT_FUNCTION_BUSY,
                                     NULL, &failure));
    if (fault_code(failure) == FAULT_FUNCTION_BUSY)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static gboolean
list(NetworkFixture *fixture, GError **error)
{
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->host->leases, error);

    return leases && leases->len == 1;
}

static gboolean
list_held(NetworkFixture *fixture, GError **error)
{
    g_autoptr(GHashTable) held = lease_store_held(fixture->host->leases, ASSET_FUNCTION, error);

    return held && g_hash_table_size(held) == 2;
}

static gboolean
find(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = NULL;

    return network_lease_find(fixture->host->leases, LEASE_RESERVATION, "tester", "a", &lease,
                              error) &&
           lease;
}

/* NULL if that is what fails. */
static Lease *
only_lease(NetworkFixture *fixture)
{
    g_autoptr(GPtrArray) leases = lease_store_list(fixture->host->leases, NULL);

    if (!leases || leases->len == 0)
        return NULL;
    return lease_copy(leases->pdata[0]);
}

static gboolean
renew(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);

    return !lease ||
           lease_store_renew(fixture->host->leases, lease->id, lease->generation, MINUTE, error);
}

static gboolean
set_state(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);

    return !lease || lease_store_set_state(fixture->host->leases, lease->id, STATE_DEGRADED,
                                           "because", error);
}

static gboolean
mark(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);

    return !lease || network_lease_mark(fixture->host->leases, lease, lease->assets->pdata[0],
                                        ASSET_ATTACHED, error);
}

static gboolean
replace(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);
    g_autoptr(LeaseAsset) successor =
        lease_asset_new(ASSET_FUNCTION, "0000:01:10.4", ASSET_RESERVED, NULL);

    return !lease ||
           lease_store_replace_asset(fixture->host->leases, lease->id, lease->assets->pdata[0],
                                     successor, FAULT_FUNCTION_BUSY, error);
}

static gboolean
drop(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);
    const LeaseAsset *first = lease ? lease->assets->pdata[0] : NULL;

    return !lease ||
           lease_store_drop_asset(fixture->host->leases, lease->id, first->kind, first->key, error);
}

static gboolean
take_away(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);

    return !lease || lease_store_remove(fixture->host->leases, lease->id, error);
}

/* netprepd. */

static gboolean
reserve(NetworkFixture *fixture, GError **error)
{
    return network_fixture_reserve(fixture, MINUTE, error);
}

static void
have_reservation(NetworkFixture *fixture)
{
    g_assert_true(network_fixture_reserve(fixture, MINUTE, NULL));
}

static gboolean
finish(Job *started, GError **error)
{
    g_autoptr(Job) job = started;
    json_auto_t *result = job ? job_wait(job, error) : NULL;

    return result != NULL;
}

static gboolean
release(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Lease) lease = only_lease(fixture);

    return !lease ||
           finish(release_start(fixture->host, lease->id, lease->generation, error), error);
}

/* Nobody is told, and it is done by a later look. */
static gboolean
look(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    reconcile_now(reconciler, NULL);
    network_fixture_wait_for_jobs(fixture);
    return TRUE;
}

static void
expire(NetworkFixture *fixture)
{
    g_autoptr(Lease) lease = only_lease(fixture);

    g_assert_true(lease_store_renew(fixture->host->leases, lease->id, lease->generation, 0, NULL));
}

static void
have_expired_reservation(NetworkFixture *fixture)
{
    have_reservation(fixture);
    expire(fixture);
}

static void
have_guest(NetworkFixture *fixture)
{
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
}

static gboolean
detach(NetworkFixture *fixture, GError **error)
{
    look(fixture, NULL); /* what the try before left is put in order */
    return finish(unplug_start(fixture->host, "tester", "a", "web1", MINUTE, error), error);
}

static void
have_guest_with_two(NetworkFixture *fixture)
{
    network_fixture_add_guest_with_two(fixture);
}

static void
have_arrived_guest(NetworkFixture *fixture)
{
    have_reservation(fixture);
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
}

static void
have_expired_detachment(NetworkFixture *fixture)
{
    have_guest(fixture);
    g_assert_true(detach(fixture, NULL));
    expire(fixture);
}

/* Somebody took the VF that the guest was to get. */
static void
have_arrived_guest_whose_function_is_lost(NetworkFixture *fixture)
{
    have_arrived_guest(fixture);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
}

static void
have_expired_detachment_whose_function_is_lost(NetworkFixture *fixture)
{
    have_expired_detachment(fixture);
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, "taken0", 0, "br0");
}

static void
have_expired_detachment_of_two(NetworkFixture *fixture)
{
    have_guest_with_two(fixture);
    g_assert_true(detach(fixture, NULL));
    expire(fixture);
}

/* Its guest left. */
static void
have_lease_of_two_without_guest(NetworkFixture *fixture)
{
    have_guest_with_two(fixture);
    g_assert_true(detach(fixture, NULL));
    fake_hypervisor_remove_guest(fixture->hypervisor, FIXTURE_UUID);
}

static const Operation operations[] = {
    { "create", NULL, create },
    { "create-again", have_lease, create },
    { "create-rival", have_lease, create_rival },
    { "list", have_lease, list },
    { "list-held", have_lease, list_held },
    { "find", have_lease, find },
    { "renew", have_lease, renew },
    { "set-state", have_lease, set_state },
    { "mark", have_lease, mark },
    { "replace", have_lease, replace },
    { "drop", have_lease, drop },
    { "remove", have_lease, take_away },
    { "reserve", NULL, reserve },
    { "reserve-again", have_reservation, reserve },
    { "release", have_reservation, release },
    { "free-expired", have_expired_reservation, look },
    { "attach", have_arrived_guest, look },
    { "detach", have_guest, detach },
    { "replug", have_expired_detachment, look },
    { "detach-two", have_guest_with_two, detach },
    { "replug-two", have_expired_detachment_of_two, look },
    { "attach-other", have_arrived_guest_whose_function_is_lost, look },
    { "replug-other", have_expired_detachment_whose_function_is_lost, look },
    { "free-two", have_lease_of_two_without_guest, look },
};

/* libvirt, as a daemon of its own reaches it. */
typedef struct {
    Hypervisor *before, *gated;
    gint left; /* calls until the one that fails, and 1 */
} Libvirt;

static FakeGateState
pass(void *data)
{
    Libvirt *libvirt = data;

    errno = EIO;
    return g_atomic_int_add(&libvirt->left, -1) == 1 ? FAKE_GATE_SHUT : FAKE_GATE_OPEN;
}

static void
forward(const HypervisorEvent *event, void *data)
{
    const Libvirt *libvirt = data;

    hypervisor_emit(libvirt->gated, event);
}

/* Whether @operation went well though the @number-th call to libvirt failed; *ret_struck: it made
 * so many. */
static gboolean
run_with_libvirt(const Operation *operation, NetworkFixture *fixture, unsigned number,
                 gboolean *ret_struck, GError **error)
{
    Libvirt libvirt = { .before = fixture->host->hypervisor, .left = (gint)number };
    HypervisorDoor door = { .gate = pass, .gate_data = &libvirt };
    FakeEventSource *events = fake_hypervisor_events(fixture->hypervisor);

    fixture->host->hypervisor = libvirt.gated = hypervisor_gate_new(libvirt.before, &door);
    fake_event_source_add(events, forward, &libvirt);
    gboolean good = operation->run(fixture, error);
    fake_event_source_remove(events, &libvirt);
    fixture->host->hypervisor = libvirt.before;
    hypervisor_free(libvirt.gated);
    *ret_struck = libvirt.left <= 0;
    return good;
}

static gboolean
run_with_database(const Operation *operation, NetworkFixture *fixture, unsigned number,
                  gboolean *ret_struck, GError **error)
{
    faulty_sql_arm(number);
    gboolean good = operation->run(fixture, error);

    *ret_struck = faulty_sql_has_struck();
    faulty_sql_arm(0);
    return good;
}

/* One of the two above. */
typedef gboolean (*Strike)(const Operation *operation, NetworkFixture *fixture, unsigned number,
                           gboolean *ret_struck, GError **error);

/* FALSE: the operation makes fewer requests. */
static gboolean
strike(const Operation *operation, Strike run, unsigned number)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL, again = NULL;
    gboolean struck;

    if (operation->prepare)
        operation->prepare(fixture);
    gboolean good = run(operation, fixture, number, &struck, &error);
    g_assert_true(good || struck);
    if (!good) {
        g_test_message("%u: %s", number, error ? error->message : "");
        g_assert_nonnull(error);
        g_assert_true(operation->run(fixture, &again));
        g_assert_no_error(again);
    }
    look(fixture, NULL);
    return struck;
}

static void
quiet(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

static void
test_database(const void *operation)
{
    unsigned number = 1;

    while (strike(operation, run_with_database, number))
        number++;
    g_assert_cmpuint(number, >, 2);
}

static void
test_libvirt(const void *operation)
{
    for (unsigned number = 1; strike(operation, run_with_libvirt, number); number++)
        ;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!g_test_verbose())
        g_log_set_handler("migprep", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, quiet, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *database = g_strdup_printf("/store-faults/%s", operations[i].name);
        g_autofree char *libvirt = g_strdup_printf("/libvirt-faults/%s", operations[i].name);

        g_test_add_data_func(database, &operations[i], test_database);
        g_test_add_data_func(libvirt, &operations[i], test_libvirt);
    }
    return g_test_run();
}
