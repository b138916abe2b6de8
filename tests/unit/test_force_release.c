/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A lease that is ended by force never takes a VF from a running guest. */
#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/force_release.h"
#include "netprep/unplug.h"

static json_t *
force(NetworkFixture *fixture, const Lease *lease, GError **error)
{
    ForceReleaseRequest request = { lease->id, lease->generation, "uid 0, process 1", "a test" };
    g_autoptr(Job) job = force_release_start(fixture->host, &request, error);

    return job ? job_wait(job, error) : NULL;
}

static Lease *
detach(NetworkFixture *fixture)
{
    fake_function_control_settings(fixture->control, 0)->vlan = 12;
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_nonnull(result);
    return network_fixture_lease(fixture);
}

static void
assert_names(const json_t *result, const char *list, const char *function)
{
    const json_t *names = json_object_get(result, list);

    g_assert_cmpuint(json_array_size(names), ==, function ? 1 : 0);
    if (function)
        g_assert_cmpstr(json_string_value(json_array_get(names, 0)), ==, function);
}

static void
test_unused_function_is_free_even_while_its_guest_moves(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    g_autoptr(GError) error = NULL;

    fake_hypervisor_set_job(fixture->hypervisor, FIXTURE_UUID, TRUE);
    json_auto_t *result = force(fixture, lease, &error);
    g_assert_no_error(error);
    assert_names(result, "freed", FIXTURE_VF);
    assert_names(result, "kept", NULL);
    g_autoptr(Lease) left = network_fixture_lease(fixture);
    g_assert_null(left);
    g_assert_cmpuint(fake_function_control_settings(fixture->control, 0)->vlan, ==, 0);
    g_assert_false(network_fixture_has_config(fixture, FIXTURE_VF));
}

static void
test_function_in_its_guest_stays_there(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    const LeaseAsset *asset = lease->assets->pdata[0];
    const char *xml = json_string_value(json_object_get(asset->detail, "xml"));

    g_assert_true(
        hypervisor_attach_device(fixture->host->hypervisor, FIXTURE_UUID, xml, DEVICE_LIVE, NULL));
    json_auto_t *result = force(fixture, lease, NULL);
    assert_names(result, "freed", NULL);
    assert_names(result, "kept", FIXTURE_VF);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_cmpuint(fake_function_control_settings(fixture->control, 0)->vlan, ==, 12);
    g_autoptr(Lease) left = network_fixture_lease(fixture);
    g_assert_null(left);
}

static void
test_function_of_somebody_else_keeps_the_lease(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    g_autoptr(GError) error = NULL;

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    g_assert_null(force(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_autoptr(Lease) left = network_fixture_lease(fixture);
    g_assert_nonnull(lease_find_asset(left, ASSET_FUNCTION, FIXTURE_VF));
    g_assert_cmpuint(fake_function_control_settings(fixture->control, 0)->vlan, ==, 12);
}

static void
test_wrong_generation_is_refused(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    g_autoptr(GError) error = NULL;

    lease->generation++;
    g_assert_null(force(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_STALE_GENERATION);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/force-release/unused-function-is-free-even-while-its-guest-moves",
                    test_unused_function_is_free_even_while_its_guest_moves);
    g_test_add_func("/force-release/function-in-its-guest-stays-there",
                    test_function_in_its_guest_stays_there);
    g_test_add_func("/force-release/function-of-somebody-else-keeps-the-lease",
                    test_function_of_somebody_else_keeps_the_lease);
    g_test_add_func("/force-release/wrong-generation-is-refused", test_wrong_generation_is_refused);
    return g_test_run();
}
