/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each vNIC takes the path that it can: bonded, teamed, by its VFIO driver, or not at all. */
#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/attach_job.h"
#include "netprep/guest_view.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

#define MAC     "52:54:00:aa:00:01" /* of net0 */
#define ADDRESS "<address type='pci' domain='0' bus='1' slot='16' function='0'/>"
#define AT_04_0                                                                                    \
    "<alias name='hostdev0'/><address type='pci' domain='0' bus='0' slot='4' function='0'/>"

static const char team_xml[] =
    "<interface type='hostdev' managed='yes'><mac address='" MAC "'/><source>" ADDRESS "</source>"
    "<teaming type='transient' persistent='net0'/>" AT_04_0 "</interface>";

static const char pool_xml[] = "<interface type='network'><mac address='52:54:00:aa:00:09'/>"
                               "<source network='blue'>" ADDRESS "</source>" AT_04_0 "</interface>";

static char *
team_report(gboolean teamed, gboolean carrier)
{
    return g_strdup_printf(
        "{\"interfaces\": ["
        "{\"name\": \"eth0\", \"pciPath\": \"03.0\", \"driver\": \"net_failover\","
        " \"carrier\": true, \"master\": null},"
        "{\"name\": \"eth0nsby\", \"pciPath\": \"03.0\", \"driver\": \"virtio_net\","
        " \"carrier\": %s, \"master\": \"eth0\"},"
        "{\"name\": \"eth1\", \"pciPath\": \"04.0\", \"driver\": \"igbvf\","
        " \"carrier\": true, \"master\": %s}], \"bonds\": []}",
        carrier ? "true" : "false", teamed ? "\"eth0\"" : "null");
}

static void
set_report(NetworkFixture *fixture, gboolean teamed, gboolean carrier)
{
    g_autofree char *report = team_report(teamed, carrier);

    fake_guest_set_report(fixture->guest, report);
}

static json_t *
detach(NetworkFixture *fixture, GError **error)
{
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, error);

    return job ? job_wait(job, error) : NULL;
}

static const char *
path_of(const json_t *result)
{
    const json_t *vnic = json_array_get(json_object_get(result, "vnics"), 0);

    return json_string_value(json_object_get(vnic, "path"));
}

static char *
release(NetworkFixture *fixture, const Lease *lease)
{
    g_autoptr(Job) job = release_start(fixture->host, lease->id, lease->generation, NULL);
    json_auto_t *result = job ? job_wait(job, NULL) : NULL;

    return g_strdup(json_string_value(json_object_get(result, "outcome")));
}

static void
test_team_is_unplugged_without_steering_and_returns_as_a_team(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest_with(fixture, GUEST_STATE_RUNNING, team_xml);
    set_report(fixture, TRUE, TRUE);
    json_auto_t *result = detach(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(path_of(result), ==, "teaming");
    g_assert_cmpuint(fake_guest_count(fixture->guest, "use"), ==, 0);
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_autofree char *outcome = release(fixture, lease);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_cmpuint(fake_guest_count(fixture->guest, "join"), ==, 0);
}

static void
test_team_that_cannot_do_without_is_left_alone(void)
{
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        g_autoptr(GError) error = NULL;

        network_fixture_add_guest_with(fixture, GUEST_STATE_RUNNING, team_xml);
        set_report(fixture, i == 0, i == 1);
        g_assert_null(detach(fixture, &error));
        g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
        g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    }
}

/* Its vNIC as a former host described it. */
static Lease *
reserve(NetworkFixture *fixture, VnicPath path)
{
    VnicShape shape = { .form = VNIC_FORM_HOSTDEV, .teaming = "net0" };
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .mac = MAC,
                  .physical_network = "blue",
                  .settings = { .vlan = 7, .spoof_check = TRUE },
                  .teaming = "net0",
                  .path = path,
                  .configuration = &shape };
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, 60 };
    g_autoptr(GError) error = NULL;
    Lease *lease = reservation_create(fixture->host, &request, &error);

    g_assert_no_error(error);
    return lease;
}

static void
test_team_is_plugged_with_the_mac_of_its_other_half(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_PATH_TEAMING);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    set_report(fixture, TRUE, TRUE);
    g_autoptr(Job) job = attach_start(fixture->host, lease->id, lease->generation, 0, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
    g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, "web1", NULL);
    const DomainPassthrough *live = guest_view_find(view->live, FIXTURE_VF);
    g_assert_cmpint(live->form, ==, VNIC_FORM_INTERFACE);
    g_assert_cmpstr(live->mac, ==, MAC);
    g_assert_cmpstr(live->teaming, ==, "transient");
    g_assert_nonnull(strstr(live->xml, "id=\"7\""));
    const DomainPassthrough *configured = guest_view_find(view->config, FIXTURE_VF);
    g_assert_cmpint(configured->form, ==, VNIC_FORM_HOSTDEV);
    g_assert_cmpstr(configured->teaming, ==, "transient");
}

static void
test_team_that_the_guest_does_not_use_is_degraded(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_PATH_TEAMING);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    set_report(fixture, FALSE, TRUE);
    g_autoptr(Job) job = attach_start(fixture->host, lease->id, lease->generation, 0, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_true(json_is_true(json_object_get(result, "degraded")));
}

static void
test_state_moves_natively_only_where_that_is_allowed(void)
{
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();

        fixture->config.native_migration = allowed;
        fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "mlx5_vfio_pci");
        network_fixture_add_guest_with(fixture, GUEST_STATE_RUNNING, pool_xml);
        json_auto_t *result = detach(fixture, NULL);
        g_assert_cmpstr(path_of(result), ==, allowed ? "native" : "bond");
        g_assert_cmpint(network_fixture_has_live(fixture, FIXTURE_VF), ==, allowed);
        g_autoptr(Lease) lease = network_fixture_lease(fixture);
        g_assert_cmpuint(lease->assets->len, ==, !allowed);
        json_auto_t *again = detach(fixture, NULL);
        g_assert_true(
            json_equal(json_object_get(result, "vnics"), json_object_get(again, "vnics")));
    }
}

static void
test_no_function_is_held_for_a_native_vnic(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture, VNIC_PATH_NATIVE);

    g_assert_cmpuint(lease->assets->len, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/path/team/is-unplugged-without-steering-and-returns-as-a-team",
                    test_team_is_unplugged_without_steering_and_returns_as_a_team);
    g_test_add_func("/path/team/that-cannot-do-without-is-left-alone",
                    test_team_that_cannot_do_without_is_left_alone);
    g_test_add_func("/path/team/is-plugged-with-the-mac-of-its-other-half",
                    test_team_is_plugged_with_the_mac_of_its_other_half);
    g_test_add_func("/path/team/that-the-guest-does-not-use-is-degraded",
                    test_team_that_the_guest_does_not_use_is_degraded);
    g_test_add_func("/path/native/only-where-that-is-allowed",
                    test_state_moves_natively_only_where_that_is_allowed);
    g_test_add_func("/path/native/no-function-is-held", test_no_function_is_held_for_a_native_vnic);
    return g_test_run();
}
