/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fault at each point of what storprepd does to a guest that stays: whatever came of it, the
 * guest is whole, what was answered is true, and asked for again it is done. */
#include <glib.h>
#include <string.h>

#include "common/fault.h"
#include "fake/crash_tour.h"
#include "fake/fake_hypervisor.h"
#include "fake/faulty_calls.h"
#include "storprep/guest_policy.h"
#include "storprep/guest_stop.h"

#define UUID      "7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a56"
#define LOOK_USEC 1000
#define STRIDE    1

/* Its policy is 300, and a place that nobody changes. */
#define GUEST                                                                                      \
    "<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid><metadata>"                          \
    "<migprep:policy xmlns:migprep='" GUEST_POLICY_NAMESPACE "'><hosts>host2</hosts>"              \
    "<max-downtime>300</max-downtime></migprep:policy></metadata><devices/></domain>"

/* Theory of operation: see crash_tour.h. There are no leases: nothing is to be put in order by a
 * daemon that starts again, so that its caller asks again. */
typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    Injector *injector;
    JobRegistry *jobs;
    gboolean asleep; /* its hooks have sent to sleep what runs in it */
} Stage;

typedef struct {
    const char *name;
    GuestState before;
    gboolean (*run)(Stage *stage); /* whether it went well */
    GuestState after;              /* when it did */
    guint64 downtime;
} Operation;

/* The guest. */

static char *
dump(json_t *object)
{
    json_auto_t *owned = object;
    g_autofree char *text = json_dumps(owned, 0);

    return g_strdup(text);
}

static char *
answer(const char *uuid, const char *command, void *data)
{
    Stage *stage = data;

    if (strstr(command, "guest-exec-status")) {
        g_autofree char *hooks = g_base64_encode((const guchar *)"{\"hooks\":[]}", 12);

        return dump(json_pack("{s:{s:b, s:i, s:s}}", "return", "exited", TRUE, "exitcode", 0,
                              "out-data", hooks));
    }
    stage->asleep = strstr(command, "before_hibernation") != NULL;
    return dump(json_pack("{s:{s:i}}", "return", "pid", 7));
}

static void
assert_policy(const char *xml, gboolean changed_may_be, gboolean changed_must_be)
{
    PolicySettings settings;
    g_auto(GuestPlace) place = { 0 };

    g_assert_true(guest_policy_read(xml, &settings, NULL));
    guint64 downtime = settings.values[POLICY_MAX_DOWNTIME];
    g_assert_true((downtime == 300 && !changed_must_be) || (downtime == 500 && changed_may_be));
    g_assert_true(guest_policy_read_place(xml, &place, NULL));
    g_assert_cmpstr(place.values[GUEST_PLACE_HOSTS], ==, "host2");
}

/* With nothing injected. A daemon that is dead wakes up nobody. */
static void
judge(const Stage *stage, const Operation *operation, gboolean good, gboolean killed)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(stage->hypervisor, UUID, NULL);

    g_assert_true(guest->state == operation->before || guest->state == operation->after);
    g_assert_true(!good || guest->state == operation->after);
    assert_policy(guest->xml, operation->downtime == 500, good && operation->downtime == 500);
    assert_policy(guest->inactive_xml, operation->downtime == 500,
                  good && operation->downtime == 500);
    g_assert_true(killed || guest->state == GUEST_STATE_SHUT_OFF || !stage->asleep);
}

/* What is done to it. */

static gboolean
set_policy(Stage *stage)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(stage->hypervisor, "web1", NULL);

    return guest && guest_policy_set(stage->hypervisor, guest, "max-downtime", "500", NULL);
}

/* Nobody waits for the end of a job whose daemon is dead. */
static gboolean
finish(Stage *stage, Job *job)
{
    g_autoptr(Job) running = NULL;

    while ((running = job_registry_find_subject(stage->jobs, UUID)) &&
           !injector_is_dead(stage->injector)) {
        g_clear_pointer(&running, job_unref);
        g_usleep(LOOK_USEC);
    }
    if (running)
        g_cancellable_cancel(job_cancellable(job));
    json_auto_t *result = job_wait(job, NULL);
    return result != NULL;
}

static gboolean
stop(Stage *stage, gboolean hibernate)
{
    static const ConfigHooks hooks = { .seconds = 1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(Job) job =
        guest_stop_start(stage->jobs, stage->hypervisor, "web1", hibernate, 60, &hooks, &error);

    return job ? finish(stage, job) : fault_code(error) == FAULT_GUEST_NOT_RUNNING;
}

static gboolean
shut_down(Stage *stage)
{
    return stop(stage, FALSE);
}

static gboolean
hibernate(Stage *stage)
{
    return stop(stage, TRUE);
}

/* As the handler of StartGuest does; one that runs needs none. */
static gboolean
start(Stage *stage)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(stage->hypervisor, "web1", NULL);

    return guest && (guest->state == GUEST_STATE_RUNNING ||
                     hypervisor_start(stage->hypervisor, guest->uuid, NULL));
}

static const Operation operations[] = {
    { "set-policy", GUEST_STATE_RUNNING, set_policy, GUEST_STATE_RUNNING, 500 },
    { "set-policy-shut-off", GUEST_STATE_SHUT_OFF, set_policy, GUEST_STATE_SHUT_OFF, 500 },
    { "shut-down", GUEST_STATE_RUNNING, shut_down, GUEST_STATE_SHUT_OFF, 300 },
    { "hibernate", GUEST_STATE_RUNNING, hibernate, GUEST_STATE_SHUT_OFF, 300 },
    { "start", GUEST_STATE_SHUT_OFF, start, GUEST_STATE_RUNNING, 300 },
};

/* The tour. */

typedef struct {
    const Operation *operation;
    Stage *stage;
} Tour;

static gboolean
attempt(const Tour *tour, Injection what, unsigned point)
{
    Stage *stage = tour->stage;

    injector_arm(stage->injector, what, point);
    gboolean good = tour->operation->run(stage);
    gboolean killed = injector_is_dead(stage->injector);
    injector_arm(stage->injector, INJECT_NOTHING, 0);
    judge(stage, tour->operation, good, killed);
    return good;
}

static unsigned
run_play(const CrashPlay *play, const void *data)
{
    const Tour *tour = data;
    Stage *stage = tour->stage;
    unsigned before = injector_strikes(stage->injector);

    fake_hypervisor_remove_guest(stage->fake, UUID);
    fake_hypervisor_add_guest(stage->fake, GUEST, tour->operation->before, TRUE);
    stage->asleep = FALSE;
    gboolean good = attempt(tour, play->what, play->point);
    unsigned strikes = injector_strikes(stage->injector) - before;
    g_assert_true(good || strikes > 0);
    if (play->later_point)
        attempt(tour, play->later, play->later_point);
    g_assert_true(attempt(tour, INJECT_NOTHING, 0));
    return strikes;
}

static void
test_operation(const void *data)
{
    Stage stage = { .fake = fake_hypervisor_new(),
                    .injector = injector_new(),
                    .jobs = job_registry_new() };
    const Tour tour = { data, &stage };

    stage.hypervisor = fake_hypervisor_get(stage.fake);
    fake_hypervisor_set_agent(stage.fake, answer, &stage);
    faulty_calls_use(stage.injector);
    crash_tour_run(STRIDE, run_play, &tour);
    faulty_calls_use(NULL);
    job_registry_free(stage.jobs);
    hypervisor_free(stage.hypervisor);
    injector_free(stage.injector);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are what is expected of it. */
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *path = g_strdup_printf("/crash-guest/%s", operations[i].name);

        g_test_add_data_func(path, &operations[i], test_operation);
    }
    crash_tour_add_total("/crash-guest/enough-points", 60, 120);
    return g_test_run();
}
