/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules that keep leases true, and that events and restarts make them happen. */
#include "fake/fake_sysfs.h"
#include "fake/hang.h"
#include "fake/hypervisor_gate.h"
#include "fake/network_fixture.h"
#include "netprep/reconcile.h"
#include "netprep/unplug.h"

#define LEFT    1000000
#define EXPIRED 0

#define OTHER_UUID "11111111-2222-4333-8444-555555555555"

/* The linker leads all of ours here. */
gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);

static gint later_seconds;

gint64
__wrap_g_get_monotonic_time(void)
{
    return __real_g_get_monotonic_time() + g_atomic_int_get(&later_seconds) * G_USEC_PER_SEC;
}

typedef struct {
    const char *kind, *state;
    gint64 remaining;
    Whereabouts whereabouts;
    gboolean complete;
    ReconcileAction action;
} Rule;

static const Rule rules[] = {
    { "reservation", "reserved", LEFT, WHEREABOUTS_GONE, FALSE, RECONCILE_WAIT },
    { "reservation", "reserved", EXPIRED, WHEREABOUTS_GONE, FALSE, RECONCILE_FREE },
    { "reservation", "reserved", EXPIRED, WHEREABOUTS_WAITING, FALSE, RECONCILE_WAIT },
    { "reservation", "reserved", EXPIRED, WHEREABOUTS_RUNNING, FALSE, RECONCILE_ATTACH },
    { "reservation", "reserved", LEFT, WHEREABOUTS_MOVING, FALSE, RECONCILE_ATTACH },
    { "reservation", "attaching", LEFT, WHEREABOUTS_RUNNING, TRUE, RECONCILE_ATTACH },
    { "reservation", "degraded", EXPIRED, WHEREABOUTS_RUNNING, FALSE, RECONCILE_ATTACH },
    { "reservation", "degraded", LEFT, WHEREABOUTS_MOVING, FALSE, RECONCILE_WAIT },
    { "reservation", "attached", LEFT, WHEREABOUTS_RUNNING, TRUE, RECONCILE_WAIT },
    { "reservation", "attached", EXPIRED, WHEREABOUTS_RUNNING, TRUE, RECONCILE_FORGET },
    { "reservation", "attached", EXPIRED, WHEREABOUTS_GONE, FALSE, RECONCILE_FORGET },
    { "detachment", "detached", LEFT, WHEREABOUTS_RUNNING, FALSE, RECONCILE_WAIT },
    { "detachment", "detached", EXPIRED, WHEREABOUTS_RUNNING, FALSE, RECONCILE_REPLUG },
    { "detachment", "detached", EXPIRED, WHEREABOUTS_MOVING, FALSE, RECONCILE_WAIT },
    { "detachment", "detached", EXPIRED, WHEREABOUTS_WAITING, FALSE, RECONCILE_WAIT },
    { "detachment", "detached", LEFT, WHEREABOUTS_GONE, FALSE, RECONCILE_FREE },
    { "detachment", "detaching", LEFT, WHEREABOUTS_RUNNING, FALSE, RECONCILE_REPLUG },
    { "detachment", "degraded", LEFT, WHEREABOUTS_RUNNING, FALSE, RECONCILE_REPLUG },
    { "detachment", "returning", LEFT, WHEREABOUTS_RUNNING, TRUE, RECONCILE_REPLUG },
    { "detachment", "watching", LEFT, WHEREABOUTS_RUNNING, TRUE, RECONCILE_WAIT },
    { "detachment", "watching", LEFT, WHEREABOUTS_RUNNING, FALSE, RECONCILE_REPLUG },
    { "detachment", "watching", EXPIRED, WHEREABOUTS_RUNNING, TRUE, RECONCILE_FORGET },
};

static void
test_rules(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        Lease lease = { .kind = (char *)rules[i].kind,
                        .state = (char *)rules[i].state,
                        .remaining_usec = rules[i].remaining };

        g_test_message("rule %zu: %s %s", i, lease.kind, lease.state);
        g_assert_cmpint(reconcile_decide(&lease, rules[i].whereabouts, rules[i].complete), ==,
                        rules[i].action);
    }
}

static gboolean
is_attached(NetworkFixture *fixture)
{
    g_autoptr(Lease) lease = network_fixture_lease(fixture);

    return lease && g_str_equal(lease->state, STATE_ATTACHED) && lease->assets->len == 0;
}

static void
test_resumed_guest_gets_its_functions_without_being_asked(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    g_assert_true(network_fixture_reserve(fixture, 60, NULL));
    reconciler_run(reconciler);
    network_fixture_add_guest(fixture, GUEST_STATE_PAUSED, FALSE);
    fake_hypervisor_set_state(fixture->hypervisor, FIXTURE_UUID, GUEST_STATE_RUNNING);
    network_fixture_wait(fixture, is_attached);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
}

static gboolean
has_no_lease(NetworkFixture *fixture)
{
    g_autoptr(Lease) lease = network_fixture_lease(fixture);

    return !lease;
}

static void
detach(NetworkFixture *fixture)
{
    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    g_autoptr(Job) job = unplug_start(fixture->host, "tester", "a", "web1", 60, NULL);
    json_auto_t *result = job_wait(job, NULL);
    g_assert_nonnull(result);
}

static void
test_function_is_freed_when_the_guest_has_left(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    fake_function_control_settings(fixture->control, 0)->trust = TRUE;
    detach(fixture);
    reconciler_run(reconciler);
    fake_hypervisor_remove_guest(fixture->hypervisor, FIXTURE_UUID);
    network_fixture_wait(fixture, has_no_lease);
    g_assert_false(fake_function_control_settings(fixture->control, 0)->trust);
}

static void
test_guest_that_was_shut_off_finds_its_function_configured(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    detach(fixture);
    g_assert_false(network_fixture_has_config(fixture, FIXTURE_VF));
    reconciler_run(reconciler);
    fake_hypervisor_set_state(fixture->hypervisor, FIXTURE_UUID, GUEST_STATE_SHUT_OFF);
    network_fixture_wait(fixture, has_no_lease);
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
}

static void
test_interrupted_detach_is_undone_after_a_restart(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    detach(fixture);
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_true(
        lease_store_set_state(fixture->host->leases, lease->id, STATE_DETACHING, "", NULL));
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);
    reconcile_now(reconciler, NULL);
    network_fixture_wait(fixture, has_no_lease);
    g_assert_true(network_fixture_has_live(fixture, FIXTURE_VF));
    g_assert_true(network_fixture_has_config(fixture, FIXTURE_VF));
}

static void
test_nothing_is_undone_while_libvirt_is_silent(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    detach(fixture);
    fake_hypervisor_fail(fixture->hypervisor, "get_guest", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    reconcile_now(reconciler, NULL);
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_cmpstr(lease->state, ==, STATE_DETACHED);
}

static void
look(NetworkFixture *fixture, Reconciler *reconciler)
{
    reconcile_now(reconciler, NULL);
    network_fixture_wait_for_jobs(fixture);
}

/* It passes without the guest having come. */
static void
reserve_in_vain(NetworkFixture *fixture)
{
    g_assert_true(network_fixture_reserve(fixture, 60, NULL));
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_true(lease_store_renew(fixture->host->leases, lease->id, lease->generation, 0, NULL));
}

static Lease *
reserve_for_another_guest(NetworkFixture *fixture)
{
    g_autoptr(Lease) draft = network_lease_draft(LEASE_RESERVATION, "tester", "b", "web2",
                                                 OTHER_UUID, STATE_RESERVED, json_object());
    Lease *lease =
        lease_store_create(fixture->host->leases, draft, 60, FAULT_FUNCTION_BUSY, NULL, NULL);

    g_assert_nonnull(lease);
    return lease;
}

static void
test_what_failed_is_tried_again_after_a_pause(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    reserve_in_vain(fixture);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, "vfio-pci");
    look(fixture, reconciler);
    g_autoptr(Lease) other = reserve_for_another_guest(fixture);
    look(fixture, reconciler);
    g_assert_true(lease_store_remove(fixture->host->leases, other->id, NULL));
    g_autoptr(Lease) lease = network_fixture_lease(fixture);
    g_assert_cmpstr(lease->state, ==, STATE_DEGRADED);
    fake_sysfs_bind(fixture->sysfs, FIXTURE_VF, NULL);
    look(fixture, reconciler);
    g_assert_false(has_no_lease(fixture));
    g_atomic_int_set(&later_seconds, 6);
    look(fixture, reconciler);
    g_atomic_int_set(&later_seconds, 0);
    g_assert_true(has_no_lease(fixture));
    g_autoptr(Lease) last = reserve_for_another_guest(fixture);
    look(fixture, reconciler); /* forgets about it, whoever else there is */
    reconciler_free(NULL);
}

/* What happens at the number-th call to libvirt, before its answer. */
typedef struct {
    NetworkFixture *fixture;
    unsigned number;
    void (*happens)(NetworkFixture *fixture, Hang *hang);
    Hang *hang;
} Meanwhile;

static FakeGateState
pass(void *data)
{
    Meanwhile *meanwhile = data;

    if (meanwhile->number > 0 && --meanwhile->number == 0)
        meanwhile->happens(meanwhile->fixture, meanwhile->hang);
    return FAKE_GATE_OPEN;
}

/* With libvirt behind the gate. */
static void
look_meanwhile(Meanwhile *meanwhile)
{
    NetworkHost *host = meanwhile->fixture->host;
    HypervisorDoor door = { .gate = pass, .gate_data = meanwhile };
    Hypervisor *libvirt = host->hypervisor;
    g_autoptr(Reconciler) reconciler = reconciler_new(host);

    host->hypervisor = hypervisor_gate_new(libvirt, &door);
    reconcile_now(reconciler, NULL);
    hang_end(meanwhile->hang);
    network_fixture_wait_for_jobs(meanwhile->fixture);
    look(meanwhile->fixture, reconciler);
    hypervisor_free(host->hypervisor);
    host->hypervisor = libvirt;
}

static json_t *
work(Job *job, void *hang, GError **error)
{
    hang_pass(hang);
    return json_object();
}

static void
start_work(NetworkFixture *fixture, Hang *hang)
{
    job_unref(job_start(fixture->host->jobs, "Test", FIXTURE_UUID, work, hang, NULL, NULL));
}

static void
test_who_was_quicker_goes_first(void)
{
    /* When it is asked where the guest is, and when who has which VF. */
    for (unsigned call = 1; call <= 2; call++) {
        g_autoptr(NetworkFixture) fixture = network_fixture_new();
        g_autoptr(Hang) hang = hang_new(1);

        reserve_in_vain(fixture);
        look_meanwhile(&(Meanwhile) { fixture, call, start_work, hang });
        g_assert_true(has_no_lease(fixture)); /* a later look came */
    }
}

static void
bring_guest(NetworkFixture *fixture, Hang *hang)
{
    network_fixture_add_guest(fixture, GUEST_STATE_PAUSED, FALSE);
}

static void
test_guest_that_comes_at_the_last_moment_keeps_its_functions(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Hang) hang = hang_new(0);

    reserve_in_vain(fixture);
    /* Asked by the look, by the survey, and by the job. */
    look_meanwhile(&(Meanwhile) { fixture, 3, bring_guest, hang });
    g_assert_false(has_no_lease(fixture));
}

/* Once libvirt is back, and else every few seconds. */
static void
test_leases_are_looked_at_without_an_event_about_their_guest(void)
{
    const HypervisorEvent back = { .type = HYPERVISOR_EVENT_RECONNECTED,
                                   .uuid = (char *)"",
                                   .alias = (char *)"" };
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(Reconciler) reconciler = reconciler_new(fixture->host);

    reconciler_run(reconciler);
    reserve_in_vain(fixture);
    hypervisor_emit(fixture->host->hypervisor, &back);
    network_fixture_wait(fixture, has_no_lease);
    g_atomic_int_set(&later_seconds, -10); /* from now on no pause is one */
    reserve_in_vain(fixture);
    hypervisor_emit(fixture->host->hypervisor, &back);
    network_fixture_wait(fixture, has_no_lease);
    reserve_in_vain(fixture);
    network_fixture_wait(fixture, has_no_lease);
    g_atomic_int_set(&later_seconds, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reconcile/rules", test_rules);
    g_test_add_func("/reconcile/resumed-guest-gets-its-functions-without-being-asked",
                    test_resumed_guest_gets_its_functions_without_being_asked);
    g_test_add_func("/reconcile/function-is-freed-when-the-guest-has-left",
                    test_function_is_freed_when_the_guest_has_left);
    g_test_add_func("/reconcile/guest-that-was-shut-off-finds-its-function-configured",
                    test_guest_that_was_shut_off_finds_its_function_configured);
    g_test_add_func("/reconcile/interrupted-detach-is-undone-after-a-restart",
                    test_interrupted_detach_is_undone_after_a_restart);
    g_test_add_func("/reconcile/nothing-is-undone-while-libvirt-is-silent",
                    test_nothing_is_undone_while_libvirt_is_silent);
    g_test_add_func("/reconcile/what-failed-is-tried-again-after-a-pause",
                    test_what_failed_is_tried_again_after_a_pause);
    g_test_add_func("/reconcile/who-was-quicker-goes-first", test_who_was_quicker_goes_first);
    g_test_add_func("/reconcile/guest-that-comes-at-the-last-moment-keeps-its-functions",
                    test_guest_that_comes_at_the_last_moment_keeps_its_functions);
    g_test_add_func("/reconcile/without-an-event",
                    test_leases_are_looked_at_without_an_event_about_their_guest);
    return g_test_run();
}
