/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFs are held all or none, once for each request, and never if somebody has them. */
#include "common/maintenance.h"
#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/reservation.h"

#define RACERS 8

static json_t *
vnics(unsigned count, const char *network)
{
    json_t *array = json_array();
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = (char *)network,
                  .bond = "bond0",
                  .backup = "virtio" };

    for (unsigned i = 0; i < count; i++)
        json_array_append_new(array, vnic_to_json(&vnic));
    return array;
}

static Lease *
reserve(NetworkFixture *fixture, const char *token, unsigned count, GError **error)
{
    json_auto_t *wanted = vnics(count, "blue");
    ReservationRequest request = { "tester", token, "web1", FIXTURE_UUID, wanted, 60 };

    return reservation_create(fixture->host, &request, error);
}

static void
test_holds_one_function_for_each_vnic(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = reserve(fixture, "a", 2, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(lease->assets->len, ==, 2);
    g_assert_cmpstr(lease->kind, ==, LEASE_RESERVATION);
    g_assert_cmpstr(lease->state, ==, STATE_RESERVED);
    g_assert_true(network_lease_is(lease, LEASE_RESERVATION, STATE_RESERVED));
    g_assert_false(network_lease_is(lease, LEASE_RESERVATION, STATE_ATTACHED));
    g_assert_false(network_lease_is(lease, LEASE_DETACHMENT, STATE_RESERVED));
    g_assert_nonnull(lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF));
    g_assert_nonnull(lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF_2));
    g_assert_cmpuint(fake_function_control_count(fixture->control, FUNCTION_OPTION_MAC), ==, 0);
}

static void
test_holds_all_or_none(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    g_assert_null(reserve(fixture, "a", 5, &error));
    g_assert_error(error, FAULT, FAULT_NO_FREE_FUNCTION);
    g_assert_nonnull(strstr(error->message, "4 of its 4"));
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_null(lease);
}

static void
test_repeat_gets_the_same_lease_and_another_request_a_conflict(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) first = reserve(fixture, "a", 1, NULL);
    g_autoptr(Lease) again = reserve(fixture, "a", 1, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(first->id, ==, again->id);
    g_assert_cmpuint(first->generation, ==, again->generation);
    g_assert_null(reserve(fixture, "a", 2, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_CONFLICT);
}

static void
test_tokens_are_each_owners_own(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    json_auto_t *wanted = vnics(1, "blue");
    ReservationRequest request = { "other", "a", "web1", FIXTURE_UUID, wanted, 60 };
    g_autoptr(Lease) first = reserve(fixture, "a", 1, NULL);
    g_autoptr(Lease) second = reservation_create(fixture->host, &request, NULL);
    g_autoptr(Lease) detachment = NULL;

    g_assert_cmpstr(first->id, !=, second->id);
    g_assert_true(network_lease_find(fixture->host->leases, LEASE_DETACHMENT, "tester", "a",
                                     &detachment, NULL));
    g_assert_null(detachment);
}

static void
test_guest_that_does_not_run_here_is_no_obstacle(void)
{
    static const GuestState states[] = { GUEST_STATE_SHUT_OFF, GUEST_STATE_CRASHED };

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();

        network_fixture_add_guest(fixture, states[i], FALSE);
        g_autoptr(Lease) lease = reserve(fixture, "a", 1, NULL);
        g_assert_nonnull(lease);
    }
}

static void
test_used_functions_are_not_handed_out(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF_2, "igbvf");
    g_autoptr(Lease) lease = reserve(fixture, "a", 2, &error);
    g_assert_no_error(error);
    g_assert_null(lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF));
    g_assert_null(lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF_2));
}

static void
test_unknown_network_is_named(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;
    json_auto_t *wanted = vnics(1, "red");
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, wanted, 60 };

    g_assert_null(reservation_create(fixture->host, &request, &error));
    g_assert_error(error, FAULT, FAULT_NO_FREE_FUNCTION);
    g_assert_cmpstr(fault_object(error), ==, "physical network 'red'");
}

static void
test_function_without_carrier_is_only_told(void)
{
    static const char *const others[] = { "0000:02:10.0", NULL };
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_sysfs_set_link(fixture->sysfs, "npf0", "carrier", "0\n");
    g_assert_null(reserve(fixture, "a", 1, &error));
    g_assert_error(error, FAULT, FAULT_NO_FREE_FUNCTION);
    g_assert_nonnull(strstr(error->message, "npf0"));
    fake_sysfs_add_card(fixture->sysfs, "npf1", "0000:02:00.0", others);
    fake_hypervisor_add_network(fixture->hypervisor, "blue", "npf1");
    g_autoptr(Lease) lease = reserve(fixture, "a", 1, NULL);
    g_assert_nonnull(lease);
    g_assert_nonnull(lease_find_asset(lease, ASSET_FUNCTION, others[0]));
}

static void
test_vnic_without_network_is_refused(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;
    json_auto_t *wanted = vnics(1, NULL);
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, wanted, 60 };

    g_assert_null(reservation_create(fixture->host, &request, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

static void
test_guest_that_is_here_already_is_refused(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    g_assert_null(reserve(fixture, "a", 1, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
}

typedef struct {
    NetworkFixture *fixture;
    int number;
} Racer;

static void *
race(void *data)
{
    const Racer *racer = data;
    g_autofree char *token = g_strdup_printf("racer-%d", racer->number);
    g_autoptr(GError) error = NULL;
    Lease *lease = reserve(racer->fixture, token, 1, &error);

    if (!lease)
        g_assert_error(error, FAULT, FAULT_NO_FREE_FUNCTION);
    return lease;
}

static void
test_racing_requests_never_share_a_function(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GHashTable) held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GThread *threads[RACERS];
    Racer racers[RACERS];
    unsigned winners = 0;

    for (int i = 0; i < RACERS; i++) {
        racers[i] = (Racer) { fixture, i };
        threads[i] = g_thread_new("racer", race, &racers[i]);
    }
    for (int i = 0; i < RACERS; i++) {
        g_autoptr(Lease) lease = g_thread_join(threads[i]);
        if (!lease)
            continue;
        const LeaseAsset *asset = lease->assets->pdata[0];
        g_assert_true(g_hash_table_add(held, g_strdup(asset->key)));
        winners++;
    }
    g_assert_cmpuint(winners, ==, 4);
}

static void
test_host_in_maintenance_keeps_what_it_promised_and_promises_no_more(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) before = reserve(fixture, "a", 1, NULL);

    g_assert_true(maintenance_begin(fixture->host->root, "new memory", FALSE, NULL));
    g_autoptr(Lease) repeated = reserve(fixture, "a", 1, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(repeated->id, ==, before->id);
    g_assert_null(reserve(fixture, "b", 1, &error));
    g_assert_error(error, FAULT, FAULT_HOST_IN_MAINTENANCE);
    g_assert_true(maintenance_end(fixture->host->root, NULL));
    g_autoptr(Lease) after = reserve(fixture, "b", 1, NULL);
    g_assert_nonnull(after);
}

static void
test_what_is_no_address_was_not_replaced(void)
{
    g_autoptr(LeaseAsset) asset =
        lease_asset_new(ASSET_FUNCTION, FIXTURE_VF, ASSET_RESERVED,
                        json_pack("{s:[s, i]}", NETWORK_LEASE_REPLACED, FIXTURE_VF_2, 7));
    g_auto(GStrv) replaced = network_lease_replaced(asset);

    g_assert_cmpuint(g_strv_length(replaced), ==, 1);
    g_assert_cmpstr(replaced[0], ==, FIXTURE_VF_2);
}

static void
test_vnics_that_are_none_are_refused(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    json_auto_t *wanted = json_pack("[{}]");
    const ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, wanted, 60 };
    g_autoptr(GError) error = NULL;

    g_assert_null(reservation_create(fixture->host, &request, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    g_autoptr(Lease) none = network_fixture_lease(fixture);
    g_assert_null(none);
}

/* libvirt gives the VF that was chosen to a guest that starts: another one, but not for ever. */
static void
test_who_is_quicker_each_time_is_not_raced_for_ever(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    FakeNetworks *networks = fake_hypervisor_networks(fixture->hypervisor);
    g_autoptr(GError) error = NULL;

    fake_networks_be_quicker(networks, G_MAXUINT);
    g_assert_null(reserve(fixture, "a", 1, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_autoptr(Lease) none = network_fixture_lease(fixture);
    g_assert_null(none);
    fake_networks_be_quicker(networks, 3);
    g_autoptr(Lease) lease = reserve(fixture, "a", 1, NULL);
    g_assert_nonnull(lease);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reservation/holds-one-function-for-each-vnic",
                    test_holds_one_function_for_each_vnic);
    g_test_add_func("/reservation/holds-all-or-none", test_holds_all_or_none);
    g_test_add_func("/reservation/repeat-gets-the-same-lease",
                    test_repeat_gets_the_same_lease_and_another_request_a_conflict);
    g_test_add_func("/reservation/tokens-are-each-owners-own", test_tokens_are_each_owners_own);
    g_test_add_func("/reservation/guest-that-does-not-run-here-is-no-obstacle",
                    test_guest_that_does_not_run_here_is_no_obstacle);
    g_test_add_func("/reservation/used-functions-are-not-handed-out",
                    test_used_functions_are_not_handed_out);
    g_test_add_func("/reservation/unknown-network-is-named", test_unknown_network_is_named);
    g_test_add_func("/reservation/function-without-carrier-is-only-told",
                    test_function_without_carrier_is_only_told);
    g_test_add_func("/reservation/vnic-without-network-is-refused",
                    test_vnic_without_network_is_refused);
    g_test_add_func("/reservation/guest-that-is-here-already-is-refused",
                    test_guest_that_is_here_already_is_refused);
    g_test_add_func("/reservation/racing-requests-never-share-a-function",
                    test_racing_requests_never_share_a_function);
    g_test_add_func("/reservation/what-is-no-address-was-not-replaced",
                    test_what_is_no_address_was_not_replaced);
    g_test_add_func("/reservation/no-vnics", test_vnics_that_are_none_are_refused);
    g_test_add_func("/reservation/who-is-quicker-each-time-is-not-raced-for-ever",
                    test_who_is_quicker_each_time_is_not_raced_for_ever);
    g_test_add_func("/reservation/maintenance",
                    test_host_in_maintenance_keeps_what_it_promised_and_promises_no_more);
    return g_test_run();
}
