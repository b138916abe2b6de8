/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping guests that cannot leave: never forced, and told by what libvirt says. */
#include "storprep/guest_stop.h"

#include "common/fault.h"
#include "fake/fake_hypervisor.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define FUNCTION                                                                                   \
    "<devices><hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='16' " \
    "function='2'/></source></hostdev></devices>"

typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    JobRegistry *jobs;
} Fixture;

static Fixture
fixture_new(const char *more)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid>%s</domain>", more);
    Fixture fixture = { .fake = fake_hypervisor_new(), .jobs = job_registry_new() };

    fixture.hypervisor = fake_hypervisor_get(fixture.fake);
    fake_hypervisor_add_guest(fixture.fake, xml, GUEST_STATE_RUNNING, TRUE);
    return fixture;
}

static void
fixture_clear(Fixture *fixture)
{
    job_registry_free(fixture->jobs);
    hypervisor_free(fixture->hypervisor);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static gboolean
stop(const Fixture *fixture, gboolean hibernate, GError **error)
{
    static const ConfigHooks hooks = { .seconds = 1 };
    g_autoptr(Job) job =
        guest_stop_start(fixture->jobs, fixture->hypervisor, "web1", hibernate, 1, &hooks, error);
    json_auto_t *result = job ? job_wait(job, error) : NULL;

    return result != NULL;
}

static GuestState
state_of(const Fixture *fixture)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(fixture->hypervisor, UUID, NULL);

    return guest->state;
}

static void
test_stops_and_starts_again(void)
{
    for (int hibernate = 0; hibernate <= 1; hibernate++) {
        g_auto(Fixture) fixture = fixture_new("");
        g_autoptr(GError) error = NULL;

        g_assert_true(stop(&fixture, hibernate, &error));
        g_assert_no_error(error);
        g_assert_cmpint(state_of(&fixture), ==, GUEST_STATE_SHUT_OFF);
        g_assert_false(stop(&fixture, hibernate, &error));
        g_assert_error(error, FAULT, FAULT_GUEST_NOT_RUNNING);
        g_assert_true(hypervisor_start(fixture.hypervisor, UUID, NULL));
        g_assert_cmpint(state_of(&fixture), ==, GUEST_STATE_RUNNING);
    }
}

static void
test_guest_that_does_not_go_is_left_running(void)
{
    g_auto(Fixture) fixture = fixture_new("<description>stubborn</description>");
    g_autoptr(GError) error = NULL;

    g_assert_false(stop(&fixture, FALSE, &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
    g_assert_cmpstr(fault_object(error), ==, "guest 'web1'");
    g_assert_cmpint(state_of(&fixture), ==, GUEST_STATE_RUNNING);
}

static void
test_failures_leave_it_running(void)
{
    static const char *const operations[] = { "shut_down", "save" };

    for (int hibernate = 0; hibernate <= 1; hibernate++) {
        g_auto(Fixture) fixture = fixture_new("");
        g_autoptr(GError) error = NULL;

        fake_hypervisor_fail(fixture.fake, operations[hibernate], 1, FAULT_HYPERVISOR_FAILED);
        g_assert_false(stop(&fixture, hibernate, &error));
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_assert_cmpint(state_of(&fixture), ==, GUEST_STATE_RUNNING);
    }
}

/* The state of a function cannot be saved; shutting down needs no state. */
static void
test_guest_with_functions_does_not_hibernate(void)
{
    g_auto(Fixture) fixture = fixture_new(FUNCTION);
    g_autoptr(GError) error = NULL;

    g_assert_false(stop(&fixture, TRUE, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    g_assert_cmpint(state_of(&fixture), ==, GUEST_STATE_RUNNING);
    g_clear_error(&error);
    g_assert_true(stop(&fixture, FALSE, &error));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-stop/stops-and-starts", test_stops_and_starts_again);
    g_test_add_func("/guest-stop/stubborn", test_guest_that_does_not_go_is_left_running);
    g_test_add_func("/guest-stop/failures", test_failures_leave_it_running);
    g_test_add_func("/guest-stop/functions", test_guest_with_functions_does_not_hibernate);
    return g_test_run();
}
