/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFs on their way into a guest: the reserved ones here, the detached ones back. */
#include <errno.h>

#include "fake/fake_sysfs.h"
#include "fake/network_fixture.h"
#include "netprep/attach_job.h"
#include "netprep/guest_view.h"
#include "netprep/release.h"
#include "netprep/reservation.h"
#include "netprep/unplug.h"

/* The guest's vNICs as its former host described them. */
static Lease *
reserve_vnics(NetworkFixture *fixture, VnicShape *configuration, gboolean two)
{
    Vnic vnic = { .alias = "hostdev0",
                  .function = "0000:09:10.0",
                  .guest_path = "04.0",
                  .guest_address = "0000:00:04.0",
                  .physical_network = (char *)"blue",
                  .settings = { .vlan = 12, .spoof_check = TRUE },
                  .bond = "bond0",
                  .backup = "virtio",
                  .configuration = configuration };
    Vnic second = vnic;
    json_auto_t *vnics = json_pack("[o]", vnic_to_json(&vnic));
    ReservationRequest request = { "tester", "a", "web1", FIXTURE_UUID, vnics, 60 };
    g_autoptr(GError) error = NULL;

    second.alias = "hostdev1";
    second.function = "0000:09:10.2";
    second.guest_path = "06.0";
    second.guest_address = "0000:00:06.0";
    second.bond = "bond1";
    second.configuration = NULL;
    if (two) {
        fake_guest_set_two_bonds(fixture->guest);
        json_array_append_new(vnics, vnic_to_json(&second));
    }
    Lease *lease = reservation_create(fixture->host, &request, &error);
    g_assert_no_error(error);
    return lease;
}

static Lease *
reserve(NetworkFixture *fixture)
{
    VnicShape plain = { .form = VNIC_FORM_HOSTDEV };

    return reserve_vnics(fixture, &plain, FALSE);
}

static json_t *
attach(NetworkFixture *fixture, const Lease *lease, unsigned wait_seconds, GError **error)
{
    g_autoptr(Job) job =
        attach_start(fixture->host, lease->id, lease->generation, wait_seconds, error);

    return job ? job_wait(job, error) : NULL;
}

static char *
release(NetworkFixture *fixture, const Lease *lease, GError **error)
{
    g_autoptr(Job) job = release_start(fixture->host, lease->id, lease->generation, error);
    json_auto_t *result = job ? job_wait(job, error) : NULL;

    return g_strdup(json_string_value(json_object_get(result, "outcome")));
}

static void
test_arrived_guest_gets_its_function_with_its_settings(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    json_auto_t *result = attach(fixture, lease, 0, &error);
    g_assert_no_error(error);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
    g_assert_cmpstr(json_string_value(json_array_get(json_object_get(result, "functions"), 0)), ==,
                    FIXTURE_VF);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
    const FunctionSettings *settings = fake_function_control_settings(fixture->control, 0);
    g_assert_cmpuint(settings->vlan, ==, 12);
    g_assert_true(settings->trust);
    g_assert_cmpuint(fake_function_control_count(fixture->control, FUNCTION_OPTION_MAC), ==, 1);
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
}

static void
test_arrived_guest_s_hooks_run_once_and_stop_nothing(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    fake_guest_fail(fixture->guest, "hooks", 1);
    for (int turn = 0; turn < 2; turn++) {
        json_auto_t *result = attach(fixture, lease, 0, NULL);
        g_assert_true(json_is_false(json_object_get(result, "degraded")));
    }
    g_assert_cmpuint(fake_guest_count(fixture->guest, "hooks"), ==, 1);
}

static void
test_late_attach_and_release_get_true_answers(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    json_auto_t *first = attach(fixture, lease, 0, NULL);
    json_auto_t *again = attach(fixture, lease, 0, &error);
    g_assert_no_error(error);
    g_assert_true(json_equal(first, again));
    g_assert_cmpuint(fake_guest_count(fixture->guest, "join"), ==, 1);
    g_autofree char *outcome = release(fixture, lease, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
}

static void *
arrive(void *data)
{
    NetworkFixture *fixture = data;

    network_fixture_add_guest(fixture, GUEST_STATE_PAUSED, FALSE);
    fake_hypervisor_set_state(fixture->hypervisor, FIXTURE_UUID, GUEST_STATE_RUNNING);
    return NULL;
}

static void
test_attach_waits_for_the_guest(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_null(attach(fixture, lease, 0, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_RUNNING);
    g_clear_error(&error);
    GThread *guest = g_thread_new("guest", arrive, fixture);
    json_auto_t *result = attach(fixture, lease, 600, &error);
    g_thread_join(guest);
    g_assert_no_error(error);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
}

static void
test_each_failure_leaves_a_degraded_lease_that_can_be_retried(void)
{
    for (unsigned step = 0; step < 3; step++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        g_autoptr(Lease) lease = reserve(fixture);
        g_autoptr(GError) error = NULL;

        network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
        if (step == 0)
            fake_function_control_refuse(fixture->control, FUNCTION_OPTION_VLAN, -EINVAL);
        if (step == 1)
            fake_hypervisor_fail(fixture->hypervisor, "attach_device", 1, FAULT_INTERNAL);
        if (step == 2)
            fake_guest_fail(fixture->guest, "join", 1);
        json_auto_t *result = attach(fixture, lease, 0, &error);
        g_assert_no_error(error);
        g_assert_true(json_is_true(json_object_get(result, "degraded")));
        g_autoptr(Lease) degraded = network_fixture_lease(fixture);
        g_assert_cmpstr(degraded->state, ==, STATE_DEGRADED);
        g_assert_cmpstr(degraded->reason, !=, "");

        fake_function_control_refuse(fixture->control, FUNCTION_OPTION_VLAN, 0);
        json_auto_t *retried = attach(fixture, lease, 0, &error);
        g_assert_no_error(error);
        g_assert_true(json_is_false(json_object_get(retried, "degraded")));
    }
}

/* After a loss of power while it was being attached: libvirt gave it the VF of its configuration.
 */
static void
test_function_that_the_guest_was_started_with_gets_its_settings(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    const FunctionSettings *settings = fake_function_control_settings(fixture->control, 0);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_VLAN, -EBUSY);
    json_auto_t *refused = attach(fixture, lease, 0, NULL);
    g_assert_true(json_is_true(json_object_get(refused, "degraded")));
    g_autoptr(Lease) degraded = network_fixture_lease(fixture);
    g_assert_nonnull(strstr(degraded->reason, "VLAN"));

    fake_function_control_refuse(fixture->control, FUNCTION_OPTION_VLAN, 0);
    json_auto_t *result = attach(fixture, lease, 0, NULL);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
    g_assert_cmpuint(settings->vlan, ==, 12);
    g_assert_true(settings->trust);
    g_assert_cmpuint(fake_function_control_count(fixture->control, FUNCTION_OPTION_MAC), ==, 0);
}

static void
test_passing_refusal_of_libvirt_is_retried_at_once(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    fake_hypervisor_fail(fixture->hypervisor, "attach_device", 1, FAULT_HYPERVISOR_FAILED);
    json_auto_t *result = attach(fixture, lease, 0, NULL);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
}

static Lease *
detach(NetworkFixture *fixture)
{
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_nonnull(result);
    return network_fixture_lease(fixture);
}

static void
test_wrong_lease_or_generation_is_refused(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_null(attach_start(fixture->host, lease->id, lease->generation + 1, 0, &error));
    g_assert_error(error, FAULT, FAULT_STALE_GENERATION);
    g_clear_error(&error);
    g_assert_null(release_start(fixture->host, FIXTURE_UUID, lease->generation, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
    g_clear_error(&error);
    g_autoptr(NetworkFixture) source = network_fixture_new();
    g_autoptr(Lease) detachment = detach(source);
    g_assert_null(attach(source, detachment, 0, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    g_assert_false(network_fixture_has_live(source, FIXTURE_VF));
}

static void
test_released_reservation_frees_without_touching_the_function(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    g_autofree char *outcome = release(fixture, lease, NULL);
    g_autoptr(Lease) left = network_fixture_lease(fixture);

    g_assert_cmpstr(outcome, ==, "freed");
    g_assert_null(left);
    g_assert_cmpuint(fake_function_control_count(fixture->control, FUNCTION_OPTION_MAC), ==, 0);
}

/* Whoever gave it to the guest, it is not reset under its feet. */
static void
test_released_reservation_leaves_the_guest_what_it_has(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve_vnics(fixture, NULL, TRUE);
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    unsigned before = fake_function_control_count(fixture->control, FUNCTION_OPTION_MAC);
    g_autofree char *outcome = release(fixture, lease, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_cmpuint(fake_function_control_count(fixture->control, FUNCTION_OPTION_MAC), ==,
                     before);
    g_autoptr(Lease) left = network_fixture_lease(fixture);
    g_assert_null(left);
}

static void
test_release_of_a_reservation_waits_for_a_guest_that_comes_in(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve(fixture);
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_PAUSED, FALSE);
    g_assert_null(release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_autoptr(Lease) left = network_fixture_lease(fixture);
    g_assert_nonnull(lease_find_asset(left, ASSET_FUNCTION, FIXTURE_VF));
}

static const DomainPassthrough *
configured(GuestView *view)
{
    g_assert_cmpuint(view->config->passthrough->len, ==, 1);
    return view->config->passthrough->pdata[0];
}

static void
test_configuration_keeps_its_form_on_the_way_there_and_back(void)
{
    static const char *const networks[] = { "blue", "elsewhere" };

    for (gsize i = 0; i < G_N_ELEMENTS(networks); i++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        VnicShape pool = { .form = VNIC_FORM_NETWORK,
                           .mac = "52:54:00:aa:00:01",
                           .network = (char *)networks[i] };
        g_autoptr(Lease) lease = reserve_vnics(fixture, &pool, FALSE);

        network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
        json_auto_t *result = attach(fixture, lease, 0, NULL);
        g_assert_true(json_is_false(json_object_get(result, "degraded")));
        g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, "web1", NULL);
        /* Without the pool the guest starts with the VF that it has. */
        g_assert_cmpint(configured(view)->form, ==, i ? VNIC_FORM_INTERFACE : VNIC_FORM_NETWORK);
        g_assert_cmpstr(configured(view)->function, ==, i ? FIXTURE_VF : NULL);
        g_assert_cmpstr(configured(view)->mac, ==, "52:54:00:aa:00:01");

        g_autoptr(GPtrArray) vnics = vnics_describe(fixture->host, view, NULL);
        const Vnic *vnic = vnics->pdata[0];
        g_assert_cmpint(vnic->form, ==, VNIC_FORM_HOSTDEV);
        g_assert_cmpint(vnic->configuration->form, ==, configured(view)->form);
        g_assert_cmpstr(vnic->configuration->network, ==, i ? NULL : "blue");
    }
}

static void
test_vnics_join_at_the_same_time(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve_vnics(fixture, NULL, TRUE);
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    fake_guest_end_together(fixture->guest, "join", 2);
    json_auto_t *result = attach(fixture, lease, 0, &error);
    g_assert_no_error(error);
    g_assert_true(json_is_false(json_object_get(result, "degraded")));
    g_assert_cmpuint(json_array_size(json_object_get(result, "functions")), ==, 2);
}

/* No VF is free any more but those that are held. */
static void
use_up(NetworkFixture *fixture)
{
    static const char *const others[] = { FIXTURE_VF_2, "0000:01:10.4", "0000:01:10.6" };
    g_autoptr(Lease) lease = network_fixture_lease(fixture);

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        if (!lease_find_asset(lease, ASSET_FUNCTION, others[i]))
            fake_sysfs_bind(fixture->sysfs, others[i], "vfio-pci");
    }
}

static void
test_one_that_fails_keeps_no_other_from_the_guest(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = reserve_vnics(fixture, NULL, TRUE);

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    use_up(fixture);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    json_auto_t *result = attach(fixture, lease, 0, NULL);
    g_assert_true(json_is_true(json_object_get(result, "degraded")));
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF_2));
}

static void
test_detached_vnics_return_at_the_same_time(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    network_fixture_add_guest_with_two(fixture);
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_nonnull(result);
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    fake_guest_end_together(fixture->guest, "join", 2);
    g_autofree char *outcome = release(fixture, lease, NULL);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF_2));
}

static void
test_released_detachment_returns_to_the_running_guest(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    g_autoptr(GError) error = NULL;
    g_autofree char *outcome = release(fixture, lease, &error);
    g_autoptr(Lease) left = network_fixture_lease(fixture);

    g_assert_no_error(error);
    g_assert_cmpstr(outcome, ==, "returned");
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
    g_assert_null(left);
}

/* Where the host has no other one for the guest. */
static void
test_function_that_the_host_took_is_not_taken_back(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    g_autoptr(GError) error = NULL;

    use_up(fixture);
    fake_sysfs_add_link(fixture->sysfs, FIXTURE_VF, "vf0", 0, "br0");
    g_assert_null(release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
    g_autoptr(Lease) degraded = network_fixture_lease(fixture);
    g_assert_cmpstr(degraded->state, ==, STATE_DEGRADED);
}

static void
test_release_is_refused_while_the_guest_is_on_its_way(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Lease) lease = detach(fixture);
    g_autoptr(GError) error = NULL;

    fake_hypervisor_set_job(fixture->hypervisor, FIXTURE_UUID, TRUE);
    g_assert_null(release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_clear_error(&error);
    fake_hypervisor_set_job(fixture->hypervisor, FIXTURE_UUID, FALSE);
    fake_hypervisor_set_state(fixture->hypervisor, FIXTURE_UUID, GUEST_STATE_PAUSED);
    g_assert_null(release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
}

static void
test_function_of_a_guest_that_left_is_reset_and_free(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    fake_function_control_settings(fixture->control, 0)->vlan = 12;
    g_autoptr(Lease) lease = detach(fixture);
    fake_hypervisor_remove_guest(fixture->hypervisor, FIXTURE_UUID);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci"); /* libvirt is not done with it yet */
    g_assert_null(release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_assert_cmpuint(fake_function_control_settings(fixture->control, 0)->vlan, ==, 12);

    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, NULL);
    g_autofree char *outcome = release(fixture, lease, NULL);
    g_assert_cmpstr(outcome, ==, "freed");
    g_assert_cmpuint(fake_function_control_settings(fixture->control, 0)->vlan, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attach/arrived-guest-gets-its-function-with-its-settings",
                    test_arrived_guest_gets_its_function_with_its_settings);
    g_test_add_func("/attach/late-attach-and-release-get-true-answers",
                    test_late_attach_and_release_get_true_answers);
    g_test_add_func("/attach/waits-for-the-guest", test_attach_waits_for_the_guest);
    g_test_add_func("/attach/each-failure-leaves-a-degraded-lease-that-can-be-retried",
                    test_each_failure_leaves_a_degraded_lease_that_can_be_retried);
    g_test_add_func("/attach/function-that-the-guest-was-started-with-gets-its-settings",
                    test_function_that_the_guest_was_started_with_gets_its_settings);
    g_test_add_func("/attach/passing-refusal-of-libvirt-is-retried-at-once",
                    test_passing_refusal_of_libvirt_is_retried_at_once);
    g_test_add_func("/attach/configuration-keeps-its-form-on-the-way-there-and-back",
                    test_configuration_keeps_its_form_on_the_way_there_and_back);
    g_test_add_func("/attach/vnics-join-at-the-same-time", test_vnics_join_at_the_same_time);
    g_test_add_func("/attach/one-that-fails-keeps-no-other-from-the-guest",
                    test_one_that_fails_keeps_no_other_from_the_guest);
    g_test_add_func("/release/detached-vnics-return-at-the-same-time",
                    test_detached_vnics_return_at_the_same_time);
    g_test_add_func("/lease/wrong-lease-or-generation-is-refused",
                    test_wrong_lease_or_generation_is_refused);
    g_test_add_func("/release/reservation-frees-without-touching-the-function",
                    test_released_reservation_frees_without_touching_the_function);
    g_test_add_func("/release/reservation-leaves-the-guest-what-it-has",
                    test_released_reservation_leaves_the_guest_what_it_has);
    g_test_add_func("/release/reservation-of-a-guest-that-comes-in-is-busy",
                    test_release_of_a_reservation_waits_for_a_guest_that_comes_in);
    g_test_add_func("/release/detachment-returns-to-the-running-guest",
                    test_released_detachment_returns_to_the_running_guest);
    g_test_add_func("/release/function-that-the-host-took-is-not-taken-back",
                    test_function_that_the_host_took_is_not_taken_back);
    g_test_add_func("/release/is-refused-while-the-guest-is-on-its-way",
                    test_release_is_refused_while_the_guest_is_on_its_way);
    g_test_add_func("/release/function-of-a-guest-that-left-is-reset-and-free",
                    test_function_of_a_guest_that_left_is_reset_and_free);
    g_test_add_func("/replug/hooks", test_arrived_guest_s_hooks_run_once_and_stop_nothing);
    return g_test_run();
}
