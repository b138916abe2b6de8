/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a migration job does while libvirt works: queueing, timeouts, progress, cancelling in each
 * phase. */
#include <glib/gstdio.h>
#include <string.h>

#include "fake/fake_hypervisor.h"
#include "storprep/migration.h"
#include "storprep/sent_disk.h"

#define URI "qemu+ssh://host2/system"

static const char *const no_directories[] = { NULL };
static const char *const uuids[] = { "4dea22b3-1d52-d8f3-2516-782e98ab3fa0",
                                     "4dea22b3-1d52-d8f3-2516-782e98ab3fa1" };

typedef struct {
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    JobRegistry *jobs;
    Migrations *migrations;
    GMutex lock;
    GCond changed;
    const char *until; /* libvirt's call ends when this operation was called so often, in all: */
    unsigned times;    /* 0: aborted once since it began */
    gboolean fails;    /* and then fails, with the guest as it was */
    gboolean split;    /* or leaves it paused */
    unsigned started;  /* calls of migrate() */
    MigrationRequest request;
} Fixture;

static gint64
deadline(void)
{
    const char *slowness = g_getenv("TEST_SLOWNESS");

    return g_get_monotonic_time() +
           20 * G_USEC_PER_SEC *
               (slowness ? MAX(1, (gint64)g_ascii_strtoull(slowness, NULL, 10)) : 1);
}

static unsigned
count_calls(const Fixture *fixture, const char *operation)
{
    unsigned count = 0;

    for (const char *const *call = fake_hypervisor_calls(fixture->fake); *call; call++)
        count += g_str_has_prefix(*call, operation);
    return count;
}

static void
wait_for_calls(const Fixture *fixture, const char *operation, unsigned times)
{
    gint64 until = deadline();

    while (count_calls(fixture, operation) < times) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000); /* the fake has no event for a call */
    }
}

static void
tear(Guest *guest, void *data)
{
    guest->is_split = TRUE;
}

static gboolean
fake_migrate(const char *uuid, const MigrationRequest *request, void *data, GError **error)
{
    Fixture *fixture = data;

    g_mutex_lock(&fixture->lock);
    fixture->request = *request;
    fixture->started++;
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
    unsigned times = fixture->times ? fixture->times : count_calls(fixture, "abort_job") + 1;
    fake_hypervisor_set_job(fixture->fake, uuid, TRUE);
    wait_for_calls(fixture, fixture->until, times);
    fake_hypervisor_set_job(fixture->fake, uuid, FALSE);
    if (!fixture->fails) {
        fake_hypervisor_remove_guest(fixture->fake, uuid);
        return TRUE;
    }
    fake_hypervisor_set_state(fixture->fake, uuid,
                              fixture->split ? GUEST_STATE_PAUSED : GUEST_STATE_RUNNING);
    if (fixture->split)
        fake_hypervisor_with_guest(fixture->fake, uuid, tear, NULL, NULL);
    fault_set(error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", "x", "operation aborted");
    return FALSE;
}

static void
set_up(Fixture *fixture, const void *data)
{
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fixture->jobs = job_registry_new();
    fixture->migrations = migrations_new(fixture->jobs, fixture->hypervisor, 1, no_directories);
    fixture->until = "abort_job";
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    fake_hypervisor_set_migrate(fixture->fake, fake_migrate, fixture);
    for (unsigned i = 0; i < G_N_ELEMENTS(uuids); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain type='kvm'><name>web%u</name><uuid>%s</uuid></domain>", i + 1, uuids[i]);

        fake_hypervisor_add_guest(fixture->fake, xml, GUEST_STATE_RUNNING, TRUE);
    }
}

static void
tear_down(Fixture *fixture, const void *data)
{
    job_registry_free(fixture->jobs);
    g_assert_false(migrations_left(fixture->migrations));
    migrations_free(fixture->migrations);
    hypervisor_free(fixture->hypervisor);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
}

/* @change is stolen and laid over the parameters. */
static Job *
start(Fixture *fixture, const char *guest_name, json_t *change)
{
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:[]}", "guest", guest_name, "destinationUri", URI, "copyDisks");
    g_autoptr(Guest) guest = hypervisor_get_guest(fixture->hypervisor, guest_name, NULL);
    const Policy standing = policy_new();
    GError *error = NULL;

    json_object_update(asked, change);
    json_decref(change);
    MigrationPlan *plan = migration_plan_new(asked, guest, &standing, fixture->hypervisor, &error);
    g_assert_no_error(error);
    Job *job = migrations_start(fixture->migrations, plan, &error);
    g_assert_no_error(error);
    return job;
}

static void
assert_fails(Job *job, FaultCode code, const char *cause)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(job_wait(job, &error));
    g_assert_cmpstr(fault_code_name(fault_code(error)), ==, fault_code_name(code));
    g_assert_nonnull(strstr(fault_cause(error), cause));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
assert_moves(Job *job)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *result = job_wait(job, &error);

    g_assert_no_error(error);
    g_assert_nonnull(result);
}

static json_t *
after_a_second(const char *action)
{
    return json_pack("{s:i, s:s}", "timeoutSeconds", 1, "onTimeout", action);
}

static void
test_suspends_a_guest_whose_policy_says_so(Fixture *fixture, const void *data)
{
    fixture->until = "suspend";
    fixture->times = 1;
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("suspend"));

    assert_moves(job);
    g_assert_cmpuint(count_calls(fixture, "suspend"), ==, 1);
    g_assert_false(fixture->request.post_copy);
}

static void
test_switches_to_post_copy_as_soon_as_libvirt_can(Fixture *fixture, const void *data)
{
    fixture->until = "start_post_copy";
    fixture->times = 2;
    fake_hypervisor_fail(fixture->fake, "start_post_copy", 1, FAULT_HYPERVISOR_FAILED);
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("postcopy"));

    assert_moves(job);
    g_assert_true(fixture->request.post_copy);
    g_assert_cmpuint(count_calls(fixture, "suspend"), ==, 0);
}

static void
test_gives_up_and_says_why(Fixture *fixture, const void *data)
{
    fixture->fails = TRUE;
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("abort"));

    assert_fails(job, FAULT_TIMED_OUT, "not sent within 1 s");
    g_assert_cmpuint(count_calls(fixture, "suspend"), ==, 0);
}

/* P9. Looks come once a second, or before a timeout is due: the third comes after it would be. */
static void
test_a_guest_without_a_policy_is_left_to_run(Fixture *fixture, const void *data)
{
    fixture->until = "get_progress";
    fixture->times = 3;
    g_autoptr(Job) job = start(fixture, "web1", json_pack("{s:s}", "onTimeout", "continue"));

    assert_moves(job);
    g_assert_cmpuint(count_calls(fixture, "suspend"), ==, 0);
    g_assert_cmpuint(count_calls(fixture, "start_post_copy"), ==, 0);
    g_assert_cmpuint(count_calls(fixture, "abort_job"), ==, 0);
}

static void
test_cancelling_post_copy_comes_too_late(Fixture *fixture, const void *data)
{
    fixture->until = "start_post_copy";
    fixture->times = 1;
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("postcopy"));

    wait_for_calls(fixture, "start_post_copy", 1);
    g_cancellable_cancel(job_cancellable(job));
    assert_moves(job);
    g_assert_cmpuint(count_calls(fixture, "abort_job"), ==, 0);
}

static void
test_broken_post_copy_is_told_from_a_pause(Fixture *fixture, const void *data)
{
    fixture->until = "start_post_copy";
    fixture->times = 1;
    fixture->fails = fixture->split = TRUE;
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("postcopy"));
    g_autoptr(GError) error = NULL;

    g_assert_null(job_wait(job, &error));
    g_assert_nonnull(strstr(fault_cause(error), "memory on both hosts"));
    g_assert_nonnull(strstr(fault_remedy(error), "--postcopy-resume"));
}

/* libvirt was asked to go over to post-copy, and did, but its answer was lost. */
static void
test_broken_post_copy_is_asked_for_not_concluded(Fixture *fixture, const void *data)
{
    fixture->until = "start_post_copy";
    fixture->times = 1;
    fixture->fails = fixture->split = TRUE;
    fake_hypervisor_fail(fixture->fake, "start_post_copy", 1, FAULT_HYPERVISOR_UNAVAILABLE);
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("postcopy"));
    g_autoptr(GError) error = NULL;

    g_assert_null(job_wait(job, &error));
    g_assert_nonnull(strstr(fault_cause(error), "memory on both hosts"));
    g_assert_null(strstr(fault_remedy(error), "virsh resume"));
}

static void
test_cancel_in_each_phase(Fixture *fixture, const void *data)
{
    static const MigrationProgress phases[] = {
        { 0 },
        { .disk_total_bytes = 10, .disk_remaining_bytes = 5 },
        { .memory_total_bytes = 10, .memory_remaining_bytes = 5 },
    };

    fixture->fails = TRUE;
    for (unsigned i = 0; i < G_N_ELEMENTS(phases); i++) {
        fake_hypervisor_set_progress(fixture->fake, &phases[i]);
        unsigned looks = count_calls(fixture, "get_progress");
        g_autoptr(Job) job = start(fixture, "web1", json_object());

        wait_for_calls(fixture, "get_progress", looks + 1);
        g_cancellable_cancel(job_cancellable(job));
        assert_fails(job, FAULT_CANCELLED, "the guest keeps running here");
    }
}

static void
wait_until_started(Fixture *fixture, unsigned calls)
{
    g_mutex_lock(&fixture->lock);
    while (fixture->started < calls)
        g_assert_true(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline()));
    g_mutex_unlock(&fixture->lock);
}

static void
test_cancel_after_suspending_leaves_the_guest_here(Fixture *fixture, const void *data)
{
    fixture->fails = TRUE;
    g_autoptr(Job) job = start(fixture, "web1", after_a_second("suspend"));

    wait_for_calls(fixture, "suspend", 1);
    g_cancellable_cancel(job_cancellable(job));
    assert_fails(job, FAULT_CANCELLED, "the guest keeps running here");
}

static void
test_queued_migration_waits_for_its_turn(Fixture *fixture, const void *data)
{
    g_autoptr(Job) first = start(fixture, "web1", json_object());

    wait_until_started(fixture, 1);
    g_autoptr(Job) second = start(fixture, "web2", json_object());
    g_assert_cmpuint(count_calls(fixture, "migrate"), ==, 1);
    fixture->fails = TRUE;
    g_cancellable_cancel(job_cancellable(first));
    assert_fails(first, FAULT_CANCELLED, "the guest keeps running here");
    wait_until_started(fixture, 2);
    g_cancellable_cancel(job_cancellable(second));
    assert_fails(second, FAULT_CANCELLED, "the guest keeps running here");
}

static void
test_cancelled_in_the_queue_libvirt_hears_nothing(Fixture *fixture, const void *data)
{
    g_autoptr(Job) first = start(fixture, "web1", json_object());

    wait_until_started(fixture, 1);
    g_autoptr(Job) second = start(fixture, "web2", json_object());
    g_cancellable_cancel(job_cancellable(second));
    assert_fails(second, FAULT_CANCELLED, "before libvirt was asked");
    g_assert_cmpuint(count_calls(fixture, "migrate"), ==, 1);
    g_cancellable_cancel(job_cancellable(first));
    assert_moves(first);
}

static void
test_offline_move_asks_for_nothing_about_memory(Fixture *fixture, const void *data)
{
    fake_hypervisor_set_state(fixture->fake, uuids[0], GUEST_STATE_SHUT_OFF);
    fixture->until = "migrate";
    fixture->times = 1;
    g_autoptr(Job) job = start(fixture, "web1",
                               json_pack("{s:s, s:i, s:b, s:s, s:i}", "mode", "offline",
                                         "bandwidthMebibytes", 5, "autoConverge", 1, "compression",
                                         "xbzrle", "maximumDowntimeMilliseconds", 9));

    assert_moves(job);
    g_assert_cmpint(fixture->request.mode, ==, MIGRATION_OFFLINE);
    g_assert_true(fixture->request.persist && fixture->request.undefine_source);
    g_assert_false(fixture->request.auto_converge || fixture->request.post_copy);
    g_assert_null(fixture->request.compression);
    g_assert_cmpuint(fixture->request.bandwidth_mebibytes, ==, 0);
}

static void
test_a_failed_offline_move_leaves_it_shut_off_here(Fixture *fixture, const void *data)
{
    fake_hypervisor_set_state(fixture->fake, uuids[0], GUEST_STATE_SHUT_OFF);
    fake_hypervisor_fail(fixture->fake, "migrate", 1, FAULT_HYPERVISOR_FAILED);
    g_autoptr(Job) job = start(fixture, "web1", json_pack("{s:s}", "mode", "offline"));

    assert_fails(job, FAULT_MIGRATION_FAILED, "the guest is shut off here");
}

/* The move waits for another one's end; meanwhile the guest may have run, and shut down again. */
static void
write_while_queued(Fixture *fixture, const char *image)
{
    json_auto_t *sent = sent_disk_new("vda", image, NULL);
    g_autoptr(Job) first = start(fixture, "web1", json_object());

    wait_until_started(fixture, 1);
    g_autoptr(Job) second =
        start(fixture, "web2", json_pack("{s:s, s:[O]}", "mode", "offline", "sentDisks", sent));
    g_assert_true(g_file_set_contents(image, "written since", -1, NULL));
    g_cancellable_cancel(job_cancellable(first));
    assert_moves(first);
    assert_fails(second, FAULT_GUEST_BUSY, "written to while or after it was sent");
    g_assert_cmpuint(count_calls(fixture, "migrate"), ==, 1);
}

static void
test_what_was_sent_is_proven_when_its_turn_comes(Fixture *fixture, const void *data)
{
    g_autofree char *image = NULL;
    int fd = g_file_open_tmp("sent-XXXXXX", &image, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_true(g_close(fd, NULL));
    fake_hypervisor_set_state(fixture->fake, uuids[1], GUEST_STATE_SHUT_OFF);
    write_while_queued(fixture, image);
    g_assert_cmpint(g_unlink(image), ==, 0);
    /* The place is free for the next one. */
    fixture->until = "migrate";
    fixture->times = 1;
    g_autoptr(Job) third = start(fixture, "web2", json_pack("{s:s}", "mode", "offline"));
    assert_moves(third);
}

static void
test_every_option_reaches_the_hypervisor(Fixture *fixture, const void *data)
{
    fixture->until = "migrate";
    fixture->times = 1;
    g_autoptr(Job) job =
        start(fixture, "web1",
              json_pack("{s:s, s:b, s:b, s:b, s:i, s:i, s:b, s:s, s:b}", "mode", "suspended",
                        "persistent", 1, "undefineSource", 0, "unsafe", 1, "bandwidthMebibytes", 7,
                        "maximumDowntimeMilliseconds", 8, "autoConverge", 1, "compression",
                        "xbzrle", "tls", 1));

    assert_moves(job);
    const MigrationRequest *request = &fixture->request;
    g_assert_cmpint(request->mode, ==, MIGRATION_SUSPENDED);
    g_assert_true(request->persist && !request->undefine_source && request->unsafe);
    g_assert_true(request->auto_converge && request->tls && !request->tunnelled);
    g_assert_cmpuint(request->bandwidth_mebibytes, ==, 7);
    g_assert_cmpuint(request->maximum_downtime_msec, ==, 8);
    g_assert_cmpstr(request->compression, ==, "xbzrle");
    g_assert_cmpuint(request->parallel_connections, ==, 0);
}

static void
add(const char *name, void (*test)(Fixture *, const void *))
{
    g_autofree char *path = g_strconcat("/migration-converges/", name, NULL);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("suspends-a-guest-whose-policy-says-so", test_suspends_a_guest_whose_policy_says_so);
    add("switches-to-post-copy-as-soon-as-libvirt-can",
        test_switches_to_post_copy_as_soon_as_libvirt_can);
    add("gives-up-and-says-why", test_gives_up_and_says_why);
    add("guest-without-a-policy-is-left-to-run", test_a_guest_without_a_policy_is_left_to_run);
    add("cancelling-post-copy-comes-too-late", test_cancelling_post_copy_comes_too_late);
    add("broken-post-copy-is-told-from-a-pause", test_broken_post_copy_is_told_from_a_pause);
    add("broken-post-copy-is-asked-for-not-concluded",
        test_broken_post_copy_is_asked_for_not_concluded);
    add("cancel-in-each-phase", test_cancel_in_each_phase);
    add("cancel-after-suspending-leaves-the-guest-here",
        test_cancel_after_suspending_leaves_the_guest_here);
    add("queued-migration-waits-for-its-turn", test_queued_migration_waits_for_its_turn);
    add("cancelled-in-the-queue-libvirt-hears-nothing",
        test_cancelled_in_the_queue_libvirt_hears_nothing);
    add("offline-move-asks-for-nothing-about-memory",
        test_offline_move_asks_for_nothing_about_memory);
    add("failed-offline-move-leaves-it-shut-off-here",
        test_a_failed_offline_move_leaves_it_shut_off_here);
    add("what-was-sent-is-proven-when-its-turn-comes",
        test_what_was_sent_is_proven_when_its_turn_comes);
    add("every-option-reaches-the-hypervisor", test_every_option_reaches_the_hypervisor);
    return g_test_run();
}
