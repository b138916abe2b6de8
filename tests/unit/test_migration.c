/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of the migration job: its plan, its ends, and cancellation in every phase. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/varlink_idl.h"
#include "fake/fake_hypervisor.h"
#include "io.migprep.Storage.varlink.h"
#include "storprep/migration.h"

#define UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
#define URI  "qemu+ssh://host2/system"

/* What the fake libvirt does when asked to migrate. */
typedef struct {
    gboolean wait_for_abort;
    gboolean wait_for_release;
    gboolean fails;
    gboolean leaves;  /* the guest is gone from here afterwards */
    GuestState state; /* else its state */
    GMutex lock;
    GCond changed;
    gboolean started, released;
    MigrationRequest request;
    char *copied;
} Script;

typedef struct {
    char *directory;
    const char *directories[2]; /* that one alone */
    char *image;
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    JobRegistry *jobs;
    Migrations *migrations;
    Script script;
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
count_calls(Fixture *fixture, const char *operation)
{
    unsigned count = 0;

    for (const char *const *call = fake_hypervisor_calls(fixture->fake); *call; call++)
        count += g_str_has_prefix(*call, operation);
    return count;
}

static void
record_request(Script *script, const MigrationRequest *request)
{
    g_mutex_lock(&script->lock);
    script->request = *request;
    g_free(script->copied);
    script->copied = request->copy_disks ? g_strjoinv(",", (char **)request->copy_disks) : NULL;
    script->started = TRUE;
    g_cond_broadcast(&script->changed);
    while (script->wait_for_release && !script->released)
        g_assert_true(g_cond_wait_until(&script->changed, &script->lock, deadline()));
    g_mutex_unlock(&script->lock);
}

static gboolean
fake_migrate(const char *uuid, const MigrationRequest *request, void *data, GError **error)
{
    Fixture *fixture = data;
    Script *script = &fixture->script;
    gint64 until = deadline();

    g_assert_cmpstr(uuid, ==, UUID);
    record_request(script, request);
    while (script->wait_for_abort && count_calls(fixture, "abort_job") < 2) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_thread_yield();
        g_usleep(1000); /* the fake has no event for a call */
    }
    if (script->leaves)
        fake_hypervisor_remove_guest(fixture->fake, UUID);
    else
        fake_hypervisor_set_state(fixture->fake, UUID, script->state);
    if (script->fails)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", "x", "operation aborted");
    return !script->fails;
}

static char *
domain_xml(const char *image, const char *disk_extra)
{
    return g_strdup_printf("<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid><devices>"
                           "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
                           "<source file='%s'/><target dev='vda' bus='virtio'/>%s</disk>"
                           "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"
                           "</devices></domain>",
                           image, disk_extra);
}

static void
set_up(Fixture *fixture, const void *data)
{
    g_autofree char *xml = NULL;

    fixture->directory = g_dir_make_tmp("migration-XXXXXX", NULL);
    fixture->directories[0] = fixture->directory;
    fixture->image = g_build_filename(fixture->directory, "image", NULL);
    g_assert_true(g_file_set_contents(fixture->image, "content", -1, NULL));
    xml = domain_xml(fixture->image, data ? data : "");
    fixture->fake = fake_hypervisor_new();
    fixture->hypervisor = fake_hypervisor_get(fixture->fake);
    fixture->jobs = job_registry_new();
    fixture->migrations =
        migrations_new(fixture->jobs, fixture->hypervisor, 4, fixture->directories);
    fixture->script.leaves = TRUE;
    g_mutex_init(&fixture->script.lock);
    g_cond_init(&fixture->script.changed);
    fake_hypervisor_set_migrate(fixture->fake, fake_migrate, fixture);
    fake_hypervisor_add_guest(fixture->fake, xml, GUEST_STATE_RUNNING, TRUE);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    gint64 until = deadline();

    job_registry_free(fixture->jobs);
    while (migrations_left(fixture->migrations)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000); /* a detached thread has no event for its end */
    }
    migrations_free(fixture->migrations);
    hypervisor_free(fixture->hypervisor);
    g_mutex_clear(&fixture->script.lock);
    g_cond_clear(&fixture->script.changed);
    g_free(fixture->script.copied);
    g_unlink(fixture->image);
    g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
    g_free(fixture->image);
    g_free(fixture->directory);
}

static json_t *
parameters(void)
{
    return json_pack("{s:s, s:s, s:[s]}", "guest", "web1", "destinationUri", URI, "copyDisks",
                     "vda");
}

/* @change is stolen and laid over the parameters. */
static MigrationPlan *
plan(Fixture *fixture, json_t *change, GError **error)
{
    json_t *asked = parameters();
    g_autoptr(Guest) guest = hypervisor_get_guest(fixture->hypervisor, "web1", error);
    const Policy standing = policy_new();
    MigrationPlan *made;

    g_assert_nonnull(guest);
    json_object_update(asked, change);
    json_decref(change);
    made = migration_plan_new(asked, guest, &standing, fixture->hypervisor, error);
    json_decref(asked);
    return made;
}

static Job *
start(Fixture *fixture)
{
    GError *error = NULL;
    MigrationPlan *made = plan(fixture, json_object(), &error);
    Job *job;

    g_assert_no_error(error);
    job = migrations_start(fixture->migrations, made, &error);
    g_assert_no_error(error);
    return job;
}

static void
wait_until_started(Fixture *fixture)
{
    g_mutex_lock(&fixture->script.lock);
    while (!fixture->script.started)
        g_assert_true(
            g_cond_wait_until(&fixture->script.changed, &fixture->script.lock, deadline()));
    g_mutex_unlock(&fixture->script.lock);
}

static void
release_call(Fixture *fixture)
{
    g_mutex_lock(&fixture->script.lock);
    fixture->script.released = TRUE;
    g_cond_broadcast(&fixture->script.changed);
    g_mutex_unlock(&fixture->script.lock);
}

static void
assert_job_fails(Job *job, FaultCode code, const char *cause)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(job_wait(job, &error));
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_nonnull(strstr(fault_cause(error), cause));
    g_assert_nonnull(strstr(fault_object(error), "web1"));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

/* A reply that does not fit its description would be answered with Internal. */
static void
assert_fits_the_interface(json_t *result)
{
    g_autoptr(VarlinkInterface) iface = varlink_interface_parse(io_migprep_storage, NULL);
    json_t *reply = json_pack("{s:s, s:O}", "job", "x", "result", result);
    g_autoptr(GError) error = NULL;

    varlink_interface_check(iface, "Migrate", VARLINK_OUTPUT, reply, &error);
    g_assert_no_error(error);
    json_decref(reply);
}

static void
test_moved(Fixture *fixture, const void *data)
{
    g_autoptr(Job) job = start(fixture);
    json_t *result = job_wait(job, NULL);
    const char *name, *uuid;
    json_int_t downtime, elapsed, memory, disk;

    g_assert_cmpint(json_unpack(result, "{s:{s:s, s:s !}, s:I, s:I, s:I, s:I !}", "guest", "name",
                                &name, "uuid", &uuid, "downtimeMilliseconds", &downtime,
                                "elapsedMilliseconds", &elapsed, "memoryBytes", &memory,
                                "diskBytes", &disk),
                    ==, 0);
    g_assert_cmpstr(name, ==, "web1");
    g_assert_cmpstr(uuid, ==, UUID);
    g_assert_cmpstr(fixture->script.copied, ==, "vda");
    assert_fits_the_interface(result);
    json_decref(result);
}

static void
test_copied_image_is_removed_if_told_to(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    MigrationPlan *made = plan(fixture, json_pack("{s:b}", "removeSourceDisks", 1), &error);

    g_assert_no_error(error);
    g_autoptr(Job) job = migrations_start(fixture->migrations, made, &error);
    json_auto_t *result = job_wait(job, &error);
    const json_t *removed = json_object_get(result, "removedDisks");
    g_assert_cmpstr(json_string_value(json_array_get(removed, 0)), ==, fixture->image);
    g_assert_cmpint(g_access(fixture->image, F_OK), !=, 0);
    assert_fits_the_interface(result);
}

static void
test_failed_migration_removes_nothing(Fixture *fixture, const void *data)
{
    fixture->script.fails = TRUE;
    fixture->script.leaves = FALSE;
    fixture->script.state = GUEST_STATE_RUNNING;
    g_autoptr(Job) job = migrations_start(
        fixture->migrations, plan(fixture, json_pack("{s:b}", "removeSourceDisks", 1), NULL), NULL);

    g_assert_null(job_wait(job, NULL));
    g_assert_cmpint(g_access(fixture->image, F_OK), ==, 0);
}

static void
test_persistent_guest_moves_with_its_definition(Fixture *fixture, const void *data)
{
    g_autofree char *xml = domain_xml(fixture->image, "");

    fake_hypervisor_remove_guest(fixture->fake, UUID);
    for (int persistent = 1; persistent >= 0; persistent--) {
        g_autoptr(Job) job = NULL;
        json_t *result;

        fake_hypervisor_add_guest(fixture->fake, xml, GUEST_STATE_RUNNING, persistent);
        job = start(fixture);
        result = job_wait(job, NULL);
        g_assert_nonnull(result);
        json_decref(result);
        g_assert_cmpint(fixture->script.request.persist, ==, persistent);
        g_assert_cmpint(fixture->script.request.undefine_source, ==, persistent);
    }
}

static void
test_failure_says_where_the_guest_is(Fixture *fixture, const void *data)
{
    static const struct {
        GuestState state;
        const char *cause;
    } cases[] = {
        { GUEST_STATE_RUNNING, "operation aborted; the guest keeps running here" },
        { GUEST_STATE_PAUSED, "operation aborted; the guest is paused here" },
        { GUEST_STATE_SHUT_OFF, "operation aborted; the guest is shut off here" },
    };

    fixture->script.fails = TRUE;
    fixture->script.leaves = FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Job) job = NULL;

        fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_RUNNING);
        fixture->script.state = cases[i].state;
        job = start(fixture);
        assert_job_fails(job, FAULT_MIGRATION_FAILED, cases[i].cause);
    }
}

static void
test_success_is_not_believed_while_the_guest_is_here(Fixture *fixture, const void *data)
{
    g_autoptr(Job) job = NULL;

    fixture->script.leaves = FALSE;
    fixture->script.state = GUEST_STATE_RUNNING;
    job = start(fixture);
    assert_job_fails(job, FAULT_MIGRATION_FAILED, "reported success; the guest keeps running here");
}

static void
test_cancel_while_running(Fixture *fixture, const void *data)
{
    g_autoptr(Job) job = NULL;

    fixture->script.wait_for_abort = TRUE;
    fixture->script.fails = TRUE;
    fixture->script.leaves = FALSE;
    fixture->script.state = GUEST_STATE_RUNNING;
    /* libvirt refuses at first, since its job has not begun. */
    fake_hypervisor_fail(fixture->fake, "abort_job", 1, FAULT_HYPERVISOR_FAILED);
    job = start(fixture);
    wait_until_started(fixture);
    g_cancellable_cancel(job_cancellable(job));
    assert_job_fails(job, FAULT_CANCELLED, "the guest keeps running here");
}

static void
test_cancel_too_late_is_a_success(Fixture *fixture, const void *data)
{
    g_autoptr(Job) job = NULL;
    json_t *result;

    fixture->script.wait_for_abort = TRUE;
    job = start(fixture);
    wait_until_started(fixture);
    g_cancellable_cancel(job_cancellable(job));
    result = job_wait(job, NULL);
    g_assert_nonnull(result);
    json_decref(result);
}

static void
test_not_started_once_the_daemon_stops(Fixture *fixture, const void *data)
{
    g_autoptr(Job) job = NULL;

    migrations_leave(fixture->migrations);
    job = start(fixture);
    assert_job_fails(job, FAULT_CANCELLED, "before libvirt was asked");
    g_assert_cmpuint(count_calls(fixture, "migrate"), ==, 0);
}

static void
test_stopping_the_daemon_aborts_nothing(Fixture *fixture, const void *data)
{
    g_autoptr(Job) job = NULL;

    fixture->script.wait_for_release = TRUE;
    job = start(fixture);
    wait_until_started(fixture);
    migrations_leave(fixture->migrations);
    g_cancellable_cancel(job_cancellable(job));
    assert_job_fails(job, FAULT_CANCELLED, "the migration goes on in libvirt");
    g_assert_true(migrations_left(fixture->migrations));
    g_assert_cmpuint(count_calls(fixture, "abort_job"), ==, 0);
    release_call(fixture);
}

static void
test_one_migration_at_a_time(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Job) first = NULL;
    g_autoptr(Job) second = NULL;
    json_t *result;

    fixture->script.wait_for_release = TRUE;
    first = start(fixture);
    wait_until_started(fixture);
    second = migrations_start(fixture->migrations, plan(fixture, json_object(), NULL), &error);
    g_assert_null(second);
    g_assert_cmpint(fault_code(error), ==, FAULT_GUEST_BUSY);
    release_call(fixture);
    result = job_wait(first, NULL);
    g_assert_nonnull(result);
    json_decref(result);
}

static void
assert_plan_fails(Fixture *fixture, json_t *change, FaultCode code, const char *object)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(plan(fixture, change, &error));
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_nonnull(strstr(fault_object(error), object));
    g_assert_cmpstr(fault_remedy(error), !=, "");
}

static void
test_only_a_running_idle_guest_is_planned(Fixture *fixture, const void *data)
{
    fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_PAUSED);
    assert_plan_fails(fixture, json_object(), FAULT_GUEST_NOT_RUNNING, "web1");
    fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_SHUT_OFF);
    assert_plan_fails(fixture, json_object(), FAULT_GUEST_NOT_RUNNING, "web1");
    fake_hypervisor_set_state(fixture->fake, UUID, GUEST_STATE_RUNNING);
    fake_hypervisor_set_job(fixture->fake, UUID, TRUE);
    assert_plan_fails(fixture, json_object(), FAULT_GUEST_BUSY, "web1");
}

static void
test_destination_xml_is_of_this_guest(Fixture *fixture, const void *data)
{
    g_autofree char *good = domain_xml("/elsewhere/image", "");
    static const char *const bad[] = {
        "",
        "<domain>",
        "<network><name>web1</name><uuid>" UUID "</uuid></network>",
        "<domain><name>web2</name><uuid>" UUID "</uuid></domain>",
        "<domain><name>web1</name></domain>",
        "<domain><name>web1</name><uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa1</uuid></domain>",
    };
    static const char *const members[] = { "destinationXml", "persistentXml" };

    for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
        g_autoptr(MigrationPlan) made = plan(fixture, json_pack("{s:s}", members[m], good), NULL);

        g_assert_nonnull(made);
        g_assert_cmpstr(m ? made->persistent_xml : made->destination_xml, ==, good);
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
            assert_plan_fails(fixture, json_pack("{s:s}", members[m], bad[i]),
                              FAULT_INVALID_ARGUMENT, members[m]);
    }
}

static json_t *
copy_many(unsigned count)
{
    json_t *disks = json_array();

    while (count--)
        json_array_append_new(disks, json_string("vdz"));
    return json_pack("{s:o}", "copyDisks", disks);
}

static void
test_disks_to_copy_are_checked(Fixture *fixture, const void *data)
{
    assert_plan_fails(fixture, json_pack("{s:[s]}", "copyDisks", "vdb"), FAULT_INVALID_ARGUMENT,
                      "vdb");
    assert_plan_fails(fixture, json_pack("{s:[ss]}", "copyDisks", "vda", "vda"),
                      FAULT_INVALID_ARGUMENT, "vda");
    assert_plan_fails(fixture, json_pack("{s:[s]}", "copyDisks", "sda"), FAULT_DISK_UNSUPPORTED,
                      "sda");
    assert_plan_fails(fixture, copy_many(LIMIT_DISKS), FAULT_INVALID_ARGUMENT, "vdz");
    assert_plan_fails(fixture, copy_many(LIMIT_DISKS + 1), FAULT_LIMIT_EXCEEDED, "copyDisks");
}

static void
test_impossible_disk_stops_the_plan(Fixture *fixture, const void *data)
{
    assert_plan_fails(fixture, json_pack("{s:[]}", "copyDisks"), FAULT_DISK_UNSUPPORTED, "vda");
}

static void
test_numbers_have_bounds(Fixture *fixture, const void *data)
{
    static const struct {
        const char *name;
        json_int_t maximum;
    } fields[] = {
        { "bandwidthMebibytes", 1024 * 1024 },
        { "maximumDowntimeMilliseconds", 2000 * 1000 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *name = fields[i].name;
        g_autoptr(MigrationPlan) largest =
            plan(fixture, json_pack("{s:I}", name, fields[i].maximum), NULL);
        g_autoptr(MigrationPlan) none = plan(fixture, json_pack("{s:n}", name), NULL);

        g_assert_nonnull(largest);
        g_assert_nonnull(none);
        assert_plan_fails(fixture, json_pack("{s:i}", name, -1), FAULT_INVALID_ARGUMENT, name);
        assert_plan_fails(fixture, json_pack("{s:I}", name, fields[i].maximum + 1),
                          FAULT_INVALID_ARGUMENT, name);
    }
}

/* Options of libvirt's URIs name programs to run and keys to read, as root. */
static void
test_only_plain_destinations(void)
{
    static const char *const good[] = {
        "qemu+ssh://host2/system",      "qemu+ssh://root@host2/system",
        "qemu+ssh://host2:2222/system", "qemu+tls://host2.example.org/system",
        "qemu+tcp://192.0.2.7/system",  "qemu+ssh://[2001:db8::1]/system",
    };
    static const char *const bad[] = {
        "",
        "host2",
        "qemu:///system",
        "qemu+ssh:///system",
        "qemu+ssh://host2/session",
        "qemu+ssh://host2/system?command=/tmp/x",
        "qemu+ssh://host2/system?",
        "qemu+ssh://host2/system#x",
        "qemu+ext://host2/system",
        "qemu+libssh2://host2/system",
        "qemu+ssh://-oProxyCommand=x/system",
        "test:///default",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(migration_check_uri(good[i], NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(migration_check_uri(bad[i], &error));
        g_assert_cmpint(fault_code(error), ==, FAULT_INVALID_ARGUMENT);
        g_assert_cmpstr(fault_object(error), ==, "destinationUri");
    }
}

static void
add(const char *name, const char *disk_extra, void (*test)(Fixture *, const void *))
{
    g_test_add(name, Fixture, disk_extra, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/migration/moved", NULL, test_moved);
    add("/migration/persistent-guest-moves-with-its-definition", NULL,
        test_persistent_guest_moves_with_its_definition);
    add("/migration/copied-image-is-removed-if-told-to", NULL,
        test_copied_image_is_removed_if_told_to);
    add("/migration/failed-migration-removes-nothing", NULL, test_failed_migration_removes_nothing);
    add("/migration/failure-says-where-the-guest-is", NULL, test_failure_says_where_the_guest_is);
    add("/migration/success-is-not-believed-while-the-guest-is-here", NULL,
        test_success_is_not_believed_while_the_guest_is_here);
    add("/migration/cancel-while-running", NULL, test_cancel_while_running);
    add("/migration/cancel-too-late-is-a-success", NULL, test_cancel_too_late_is_a_success);
    add("/migration/not-started-once-the-daemon-stops", NULL,
        test_not_started_once_the_daemon_stops);
    add("/migration/stopping-the-daemon-aborts-nothing", NULL,
        test_stopping_the_daemon_aborts_nothing);
    add("/migration/one-at-a-time", NULL, test_one_migration_at_a_time);
    add("/migration/only-a-running-idle-guest-is-planned", NULL,
        test_only_a_running_idle_guest_is_planned);
    add("/migration/disks-to-copy-are-checked", NULL, test_disks_to_copy_are_checked);
    add("/migration/impossible-disk-stops-the-plan", "<shareable/>",
        test_impossible_disk_stops_the_plan);
    add("/migration/destination-xml-is-of-this-guest", NULL, test_destination_xml_is_of_this_guest);
    add("/migration/numbers-have-bounds", NULL, test_numbers_have_bounds);
    g_test_add_func("/migration/only-plain-destinations", test_only_plain_destinations);
    return g_test_run();
}
