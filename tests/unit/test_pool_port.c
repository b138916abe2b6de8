/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's pools and our leases never give out the same VF. */
#include "fake/network_fixture.h"
#include "netprep/attach_job.h"
#include "netprep/pool_port.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

static Lease *
reserve(NetworkFixture *fixture, GError **error)
{
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = "blue",
                  .settings = { .spoof_check = TRUE },
                  .bond = "bond0",
                  .backup = "virtio" };
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, 60 };

    return reservation_create(fixture->host, &request, error);
}

static GPtrArray *
ports(NetworkFixture *fixture)
{
    return fake_networks_list_ports(fake_hypervisor_networks(fixture->hypervisor));
}

static void
assert_held(NetworkFixture *fixture, const char *function)
{
    g_autoptr(GPtrArray) now = ports(fixture);
    const NetworkPort *port = now->len ? now->pdata[0] : NULL;

    g_assert_cmpuint(now->len, ==, function ? 1 : 0);
    if (function) {
        g_assert_cmpstr(port->function, ==, function);
        g_assert_cmpstr(port->network, ==, "blue");
        g_assert_cmpstr(port->owner_uuid, ==, FIXTURE_UUID);
        g_assert_true(g_uuid_string_is_valid(port->uuid));
    }
}

/* As libvirt does for another guest that starts. */
static void
give_away(NetworkFixture *fixture, const char *function)
{
    NetworkPort port = { "blue",
                         "3c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a11",
                         "web9",
                         "9c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a99",
                         "52:54:00:00:00:09",
                         (char *)function };

    g_assert_true(
        fake_networks_create_port(fake_hypervisor_networks(fixture->hypervisor), &port, NULL));
}

static void
test_port_is_kept_from_reservation_until_the_guest_is_gone(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, NULL);

    assert_held(fixture, FIXTURE_VF);
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    g_autoptr(Job) job = attach_start(fixture->host, lease->id, lease->generation, 0, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
    g_assert_true(lease_store_remove(fixture->host->leases, lease->id, NULL));
    pool_ports_sweep(fixture->host);
    assert_held(fixture, FIXTURE_VF); /* it is in the guest */
    fake_hypervisor_remove_guest(fixture->hypervisor, FIXTURE_UUID);
    pool_ports_sweep(fixture->host);
    assert_held(fixture, NULL);
}

static void
test_released_function_is_libvirts_again(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, NULL);
    g_autoptr(Job) job = release_start(fixture->host, lease->id, lease->generation, NULL);
    json_auto_t *result = job_wait(job, NULL);

    g_assert_nonnull(result);
    pool_ports_sweep(fixture->host);
    assert_held(fixture, NULL);
}

static void
test_function_that_libvirt_gave_away_is_not_reserved(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    give_away(fixture, FIXTURE_VF);
    g_autoptr(Lease) lease = reserve(fixture, NULL);
    g_assert_nonnull(lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF_2));
    pool_ports_sweep(fixture->host);
    g_autoptr(GPtrArray) now = ports(fixture);
    g_assert_cmpuint(now->len, ==, 2);
}

static void
test_detached_function_is_held_in_its_pool(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_nonnull(result);
    assert_held(fixture, FIXTURE_VF);
    pool_ports_sweep(fixture->host);
    assert_held(fixture, FIXTURE_VF);
}

static void
test_libvirt_without_ports_is_no_obstacle(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_fail(fixture->hypervisor, "create_network_port", 1, FAULT_HYPERVISOR_FAILED);
    g_autoptr(Lease) lease = reserve(fixture, &error);
    g_assert_no_error(error);
    g_assert_nonnull(lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF));
}

static void
test_port_reads_back_as_it_was_written(void)
{
    NetworkPort port = { "blue",
                         "3c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a11",
                         "a & b",
                         "9c7c8a64-2a57-4f8e-8c0d-1f1e5a1d0a99",
                         "52:54:00:00:00:09",
                         FIXTURE_VF_2 };
    g_autofree char *xml = network_port_build(&port, NULL);
    g_autoptr(NetworkPort) read = network_port_parse("blue", xml);

    g_assert_cmpstr(read->uuid, ==, port.uuid);
    g_assert_cmpstr(read->owner, ==, port.owner);
    g_assert_cmpstr(read->owner_uuid, ==, port.owner_uuid);
    g_assert_cmpstr(read->mac, ==, port.mac);
    g_assert_cmpstr(read->function, ==, port.function);
    g_assert_null(network_port_parse("blue", "<networkport><plug type='bridge'/></networkport>"));
    g_assert_null(network_port_parse("blue", "<networkport"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool-port/is-kept-from-reservation-until-the-guest-is-gone",
                    test_port_is_kept_from_reservation_until_the_guest_is_gone);
    g_test_add_func("/pool-port/released-function-is-libvirts-again",
                    test_released_function_is_libvirts_again);
    g_test_add_func("/pool-port/function-that-libvirt-gave-away-is-not-reserved",
                    test_function_that_libvirt_gave_away_is_not_reserved);
    g_test_add_func("/pool-port/detached-function-is-held-in-its-pool",
                    test_detached_function_is_held_in_its_pool);
    g_test_add_func("/pool-port/libvirt-without-ports-is-no-obstacle",
                    test_libvirt_without_ports_is_no_obstacle);
    g_test_add_func("/pool-port/reads-back-as-it-was-written",
                    test_port_reads_back_as_it_was_written);
    return g_test_run();
}
