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

/* A libvirt whose save begins a while after it was asked for: until then there is no job. */
typedef struct {
    GMutex lock;
    GCond changed;
    gboolean saving, refused, aborted; /* refused: an abort came too early */
} SlowSave;

static Guest *
get_slow_guest(void *self, const char *name, GError **error)
{
    Guest *guest = g_new0(Guest, 1);

    guest->name = g_strdup("web1");
    guest->uuid = g_strdup(UUID);
    guest->state = GUEST_STATE_RUNNING;
    guest->xml = g_strdup("<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid></domain>");
    return guest;
}

static gboolean
save_slowly(void *self, const char *uuid, GError **error)
{
    SlowSave *slow = self;
    gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    g_mutex_lock(&slow->lock);
    slow->saving = TRUE;
    g_cond_broadcast(&slow->changed);
    while (!slow->aborted && g_cond_wait_until(&slow->changed, &slow->lock, until))
        ;
    gboolean saved = !slow->aborted;
    g_mutex_unlock(&slow->lock);
    if (!saved)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", NULL, "operation aborted");
    return saved;
}

static gboolean
abort_slow_save(void *self, const char *uuid, GError **error)
{
    SlowSave *slow = self;

    g_mutex_lock(&slow->lock);
    gboolean early = !slow->refused;
    slow->refused = TRUE;
    slow->aborted = !early;
    g_cond_broadcast(&slow->changed);
    g_mutex_unlock(&slow->lock);
    if (early)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", NULL, "no job is active");
    return !early;
}

static char *
no_agent(void *self, const char *uuid, const char *command, unsigned seconds, GError **error)
{
    fault_set(error, FAULT_AGENT_UNAVAILABLE, "guest agent of 'web1'", NULL, "none");
    return NULL;
}

static void
leave(void *self)
{
}

static void
test_cancelled_save_is_aborted_until_it_is(void)
{
    static const HypervisorOps ops = { .get_guest = get_slow_guest,
                                       .save = save_slowly,
                                       .abort_job = abort_slow_save,
                                       .agent_command = no_agent,
                                       .free = leave };
    static const ConfigHooks hooks = { .seconds = 1, .ignore_failure = TRUE };
    SlowSave slow = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(JobRegistry) jobs = job_registry_new();
    g_autoptr(Hypervisor) hypervisor = hypervisor_new(&ops, &slow);
    g_autoptr(Job) job = guest_stop_start(jobs, hypervisor, "web1", TRUE, 60, &hooks, &error);

    g_assert_no_error(error);
    g_mutex_lock(&slow.lock);
    while (!slow.saving)
        g_cond_wait(&slow.changed, &slow.lock);
    g_mutex_unlock(&slow.lock);
    g_cancellable_cancel(job_cancellable(job));
    g_assert_null(job_wait(job, &error));
    g_assert_nonnull(error);
    g_clear_pointer(&jobs, job_registry_free);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-stop/stops-and-starts", test_stops_and_starts_again);
    g_test_add_func("/guest-stop/stubborn", test_guest_that_does_not_go_is_left_running);
    g_test_add_func("/guest-stop/failures", test_failures_leave_it_running);
    g_test_add_func("/guest-stop/functions", test_guest_with_functions_does_not_hibernate);
    g_test_add_func("/guest-stop/cancelled-save", test_cancelled_save_is_aborted_until_it_is);
    return g_test_run();
}
