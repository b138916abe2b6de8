/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detach: each step that fails leaves the guest as it was. */
#include "fake/network_fixture.h"
#include "netprep/reconcile.h"
#include "netprep/unplug.h"

static json_t *
detach_as(NetworkFixture *fixture, const char *token, GError **error)
{
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", token, "web1", 60, error);

    return job ? job_wait(job, error) : NULL;
}

static json_t *
detach(NetworkFixture *fixture, GError **error)
{
    return detach_as(fixture, "a", error);
}

static void
assert_as_before(NetworkFixture *fixture)
{
    g_autoptr(Lease) lease = network_fixture_lease(fixture);

    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
    g_assert_null(lease);
}

static void
assert_untouched(NetworkFixture *fixture)
{
    assert_as_before(fixture);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "use"), ==, 0);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "join"), ==, 0);
}

static NetworkFixture *
fixture_with_guest(void)
{
    NetworkFixture *fixture = network_fixture_new();

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    return fixture;
}

static void
test_moves_traffic_then_unplugs_and_holds_the_function(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;
    json_auto_t *result = detach(fixture, &error);

    g_assert_no_error(error);
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_false(network_fixture_has_config(fixture, FIXTURE_VF));
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "virtio");
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_cmpstr(lease->state, ==, STATE_DETACHED);
    const LeaseAsset *asset = lease_find_asset(lease, ASSET_FUNCTION, FIXTURE_VF);
    g_assert_cmpstr(asset->state, ==, ASSET_UNPLUGGED);
    const json_t *vnic = json_array_get(json_object_get(result, "vnics"), 0);
    g_assert_cmpstr(json_string_value(json_object_get(vnic, "bond")), ==, "bond0");
    g_assert_cmpstr(json_string_value(json_object_get(vnic, "backup")), ==, "virtio");
}

static void
test_repeat_gives_the_same_lease(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    json_auto_t *first = detach(fixture, NULL);
    json_auto_t *again = detach(fixture, NULL);
    const json_t *lease = json_object_get(first, "lease");
    const json_t *same = json_object_get(again, "lease");

    g_assert_true(json_equal(json_object_get(lease, "lease"), json_object_get(same, "lease")));
    g_assert_true(json_equal(json_object_get(first, "vnics"), json_object_get(again, "vnics")));
    g_assert_cmpuint(fake_guest_count(fixture->guest, "use"), ==, 1);
}

static void
test_silent_agent_is_found_before_anything_is_changed(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_guest_set_silent(fixture->guest, TRUE);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_UNAVAILABLE);
    assert_untouched(fixture);
}

static void
test_unfit_bond_is_found_before_anything_is_changed(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_guest_set_bonded(fixture->guest, FALSE);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    g_assert_nonnull(strstr(fault_remedy(error), "SetUpBond"));
    assert_untouched(fixture);

    g_clear_error(&error);
    fake_guest_set_bonded(fixture->guest, TRUE);
    fake_guest_set_virtio_carrier(fixture->guest, FALSE);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    assert_untouched(fixture);
}

/* Carrier it has, but it leads nowhere: found before anything is touched. */
static void
test_backup_without_neighbours_is_found_before_anything_is_changed(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_leg_probe_set_silent(fixture->probe, "br0");
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    g_assert_nonnull(strstr(error->message, "10.99.0.254"));
    assert_untouched(fixture);
}

static void
test_backup_that_does_not_carry_is_left_again(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_leg_probe_set_silent(fixture->probe, "vnet0");
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    g_assert_nonnull(strstr(error->message, "10.99.0.11"));
    g_assert_cmpuint(fake_guest_count(fixture->guest, "use"), ==, 1);
    assert_as_before(fixture);
}

static void
test_proof_needs_no_file_commands(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_guest_set_files(fixture->guest, FALSE);
    json_auto_t *result = detach(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fake_leg_probe_count(fixture->probe, "br0"), ==, 0);
    g_assert_cmpuint(fake_leg_probe_count(fixture->probe, "vnet0"), ==, 1);
}

static void
test_busy_or_stopped_guests_are_left_alone(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_set_job(fixture->hypervisor, FIXTURE_UUID, TRUE);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_BUSY);
    assert_untouched(fixture);

    g_clear_error(&error);
    fake_hypervisor_set_job(fixture->hypervisor, FIXTURE_UUID, FALSE);
    fake_hypervisor_set_state(fixture->hypervisor, FIXTURE_UUID, GUEST_STATE_PAUSED);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_RUNNING);
    assert_untouched(fixture);
}

static void
test_bond_that_does_not_move_is_put_back(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_guest_set_stubborn(fixture->guest, TRUE);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_BOND_UNFIT);
    assert_as_before(fixture);

    g_clear_error(&error);
    fake_guest_set_stubborn(fixture->guest, FALSE);
    fake_guest_fail(fixture->guest, "use", 1);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_AGENT_FAILED);
    assert_as_before(fixture);
}

static void
test_each_refusal_of_libvirt_is_undone(void)
{
    for (unsigned nth = 1; nth <= 2; nth++) { /* the live device, then the configuration */
        g_autoptr(NetworkFixture) fixture = fixture_with_guest();
        g_autoptr(GError) error = NULL;

        fake_hypervisor_fail(fixture->hypervisor, "detach_device", nth, FAULT_HYPERVISOR_FAILED);
        g_assert_null(detach(fixture, &error));
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
        g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
        g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
    }
}

static void
test_guest_that_refuses_keeps_its_function(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_set_unplug(fixture->hypervisor, "hostdev0", FAKE_UNPLUG_REFUSED);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_UNPLUG_REFUSED);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
}

static gboolean
is_replugged(NetworkFixture *fixture)
{
    g_autoptr(Lease) lease = network_fixture_lease(fixture);

    return !lease && network_fixture_has_live(fixture, FIXTURE_VF);
}

static void
test_device_that_leaves_too_late_is_plugged_back(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_set_unplug(fixture->hypervisor, "hostdev0", FAKE_UNPLUG_SILENT);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_UNPLUG_TIMED_OUT);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_cmpstr(lease->state, ==, STATE_WATCHING);

    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);
    reconciler_run(reconciler);
    fake_hypervisor_finish_unplug(fixture->hypervisor, FIXTURE_UUID, "hostdev0");
    network_fixture_wait(fixture, is_replugged);
}

static void
test_watching_does_not_stand_in_the_way_of_the_next_try(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_hypervisor_set_unplug(fixture->hypervisor, "hostdev0", FAKE_UNPLUG_SILENT);
    g_assert_null(detach(fixture, NULL));
    fake_hypervisor_set_unplug(fixture->hypervisor, "hostdev0", FAKE_UNPLUG_AT_ONCE);
    json_auto_t *result = detach_as(fixture, "b", &error);
    g_assert_no_error(error);
    g_assert_nonnull(result);
}

static void
test_failed_way_back_is_reported_listed_and_retried(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    /* The configuration is refused after the live device has gone, which then cannot come back. */
    fake_hypervisor_fail(fixture->hypervisor, "detach_device", 2, FAULT_HYPERVISOR_FAILED);
    fake_hypervisor_fail(fixture->hypervisor, "attach_device", 1, FAULT_INTERNAL);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_cmpstr(lease->state, ==, STATE_DEGRADED);
    g_assert_cmpstr(lease->reason, !=, "");
    g_assert_false(network_fixture_has_live(fixture, FIXTURE_VF));

    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);
    reconcile_now(reconciler, NULL);
    network_fixture_wait(fixture, is_replugged);
    assert_as_before(fixture);
}

static void *
cancel_soon(void *data)
{
    NetworkFixture *fixture = data;
    Job *job = NULL;

    while (!(job = job_registry_find_subject(fixture->host->jobs, FIXTURE_UUID)) ||
           fake_guest_count(fixture->guest, "use") == 0)
        g_clear_pointer(&job, job_unref);
    g_cancellable_cancel(job_cancellable(job));
    job_unref(job);
    return NULL;
}

static void
test_cancelled_detach_is_undone(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;
    GThread *canceller = g_thread_new("cancel", cancel_soon, fixture);

    fixture->config.unplug_seconds = 600;
    fake_hypervisor_set_unplug(fixture->hypervisor, "hostdev0", FAKE_UNPLUG_SILENT);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_CANCELLED);
    g_thread_join(canceller);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_cmpstr(fake_guest_active(fixture->guest), ==, "vf");
}

static void
test_guest_without_passthrough_gets_a_lease_that_holds_nothing(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    fake_guest_set_silent(fixture->guest, TRUE);
    json_auto_t *result = detach(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(result, "vnics")), ==, 0);
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_cmpuint(lease->assets->len, ==, 0);
    g_assert_cmpstr(lease->state, ==, STATE_DETACHED);
    g_assert_null(unplug_start(fixture->host, "tester", "a", "nobody", 60, &error));
    g_assert_error(error, FAULT, FAULT_GUEST_NOT_FOUND);
}

static void
test_guest_s_hooks_run_before_its_traffic_moves_and_may_stop_it(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fake_guest_fail(fixture->guest, "hooks", 1);
    g_assert_null(detach(fixture, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    assert_as_before(fixture);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "use"), ==, 0);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "hooks"), ==, 2); /* and after it stayed */
}

static void
test_failing_hooks_may_be_ignored(void)
{
    g_autoptr(NetworkFixture) fixture = fixture_with_guest();
    g_autoptr(GError) error = NULL;

    fixture->config.guest_hooks.ignore_failure = TRUE;
    fake_guest_fail(fixture->guest, "hooks", -1);
    json_auto_t *result = detach(fixture, &error);
    g_assert_no_error(error);
    g_assert_nonnull(result);
    g_assert_cmpuint(fake_guest_count(fixture->guest, "hooks"), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/unplug/backup-without-neighbours-is-found-before-anything-is-changed",
                    test_backup_without_neighbours_is_found_before_anything_is_changed);
    g_test_add_func("/unplug/backup-that-does-not-carry-is-left-again",
                    test_backup_that_does_not_carry_is_left_again);
    g_test_add_func("/unplug/proof-needs-no-file-commands", test_proof_needs_no_file_commands);
    g_test_add_func("/unplug/moves-traffic-then-unplugs-and-holds-the-function",
                    test_moves_traffic_then_unplugs_and_holds_the_function);
    g_test_add_func("/unplug/repeat-gives-the-same-lease", test_repeat_gives_the_same_lease);
    g_test_add_func("/unplug/silent-agent-is-found-before-anything-is-changed",
                    test_silent_agent_is_found_before_anything_is_changed);
    g_test_add_func("/unplug/unfit-bond-is-found-before-anything-is-changed",
                    test_unfit_bond_is_found_before_anything_is_changed);
    g_test_add_func("/unplug/busy-or-stopped-guests-are-left-alone",
                    test_busy_or_stopped_guests_are_left_alone);
    g_test_add_func("/unplug/bond-that-does-not-move-is-put-back",
                    test_bond_that_does_not_move_is_put_back);
    g_test_add_func("/unplug/each-refusal-of-libvirt-is-undone",
                    test_each_refusal_of_libvirt_is_undone);
    g_test_add_func("/unplug/guest-that-refuses-keeps-its-function",
                    test_guest_that_refuses_keeps_its_function);
    g_test_add_func("/unplug/device-that-leaves-too-late-is-plugged-back",
                    test_device_that_leaves_too_late_is_plugged_back);
    g_test_add_func("/unplug/watching-does-not-stand-in-the-way",
                    test_watching_does_not_stand_in_the_way_of_the_next_try);
    g_test_add_func("/unplug/failed-way-back-is-reported-listed-and-retried",
                    test_failed_way_back_is_reported_listed_and_retried);
    g_test_add_func("/unplug/cancelled-detach-is-undone", test_cancelled_detach_is_undone);
    g_test_add_func("/unplug/guest-without-passthrough-gets-a-lease-that-holds-nothing",
                    test_guest_without_passthrough_gets_a_lease_that_holds_nothing);
    g_test_add_func("/unplug/hooks",
                    test_guest_s_hooks_run_before_its_traffic_moves_and_may_stop_it);
    g_test_add_func("/unplug/hooks-ignored", test_failing_hooks_may_be_ignored);
    return g_test_run();
}
