/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each request to the database fails in turn: nothing is half done, and the next try goes well. */
#include "fake/fake_sysfs.h"
#include "fake/faulty_sql.h"
#include "fake/network_fixture.h"
#include "netprep/reconcile.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

#define MINUTE 60

/* Theory of operation. An operation is run on a host of its own for each request that it makes to
 * SQLite, which fails. It may go well all the same, if it did not need what it asked; if it fails,
 * it has told that the database did, and it goes well when it is tried again. */
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
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = (char *)"blue",
                  .bond = "bond0",
                  .backup = "virtio" };
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, MINUTE };
    g_autoptr(Lease) lease = reservation_create(fixture->host, &request, error);

    return lease != NULL;
}

static void
have_reservation(NetworkFixture *fixture)
{
    g_assert_true(reserve(fixture, NULL));
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

static void
wait_for_jobs(NetworkFixture *fixture)
{
    for (;;) {
        g_autoptr(Job) job = job_registry_find_subject(fixture->host->jobs, FIXTURE_UUID);

        if (!job)
            return;
        json_decref(job_wait(job, NULL));
    }
}

/* Nobody is told, and it is done by a later look. */
static gboolean
look(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    reconcile_now(reconciler, NULL);
    wait_for_jobs(fixture);
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

/* The host itself uses the guest's VF by now, so another one takes its place. */
static void
have_lost_function(NetworkFixture *fixture)
{
    have_expired_detachment(fixture);
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, "taken0", 0, "br0");
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
    { "replug-another", have_lost_function, look },
};

/* FALSE: the operation makes fewer requests. */
static gboolean
strike(const Operation *operation, unsigned number)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL, again = NULL;

    if (operation->prepare)
        operation->prepare(fixture);
    faulty_sql_arm(number);
    gboolean good = operation->run(fixture, &error);
    gboolean struck = faulty_sql_has_struck();
    faulty_sql_arm(0);
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
test_operation(const void *data)
{
    const Operation *operation = data;
    unsigned number = 1;

    while (strike(operation, number))
        number++;
    g_assert_cmpuint(number, >, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!g_test_verbose())
        g_log_set_handler("migprep", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, quiet, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *path = g_strdup_printf("/store-faults/%s", operations[i].name);

        g_test_add_data_func(path, &operations[i], test_operation);
    }
    return g_test_run();
}
