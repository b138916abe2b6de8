/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fault at each point of what storprepd does while a guest moves: after a restart the guest and
 * its disk are in one place, whole, and after their deadlines nothing of ours is left. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/crash_tour.h"
#include "fake/storage_recovery.h"
#include "fake/target_fixture.h"
#include "storprep/disk_delivery.h"
#include "storprep/migration.h"

#define STRIDE      2
#define DISK_BYTES  65536
#define MOVING_UUID "7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a55"
#define LOOK_USEC   1000 /* the fake has no event for an abort */

/* How libvirt's migration ends, if nothing is struck. */
typedef enum {
    LIBVIRT_MOVES,
    LIBVIRT_FAILS,
    LIBVIRT_IS_CANCELLED, /* by our caller, while it copies */
} LibvirtDeed;

/*
 * Theory of operation: see crash_tour.h. One process plays the part of the source's daemon or of
 * the destination's, or of both: then the guest that leaves, MOVING_UUID, is not the one that
 * comes, GUEST_UUID, since both are of one fake libvirt.
 */
typedef struct {
    StorageProcess *process;
    char *directory, *image, *ssh; /* of the source */
    char *content;
    const char *directories[2];
    JobRegistry *jobs;
    Migrations *migrations;
    LibvirtDeed deed;
    Job *job;         /* that libvirt's work is for. Atomic. */
    gboolean arrived; /* libvirt has moved the guest */
    json_t *served;   /* targets that are open */
} Stage;

typedef struct {
    const char *name;
    LibvirtDeed deed;
    gboolean (*prepare)(Stage *stage);
    gboolean (*run)(Stage *stage); /* whether it went well */
    void (*judge)(Stage *stage, gboolean good);
} Operation;

/* The source. */

static void
write_image(const Stage *stage)
{
    g_assert_true(g_file_set_contents(stage->image, stage->content, DISK_BYTES, NULL));
}

static gboolean
has_content(const Stage *stage, const char *path)
{
    g_autofree char *found = NULL;
    gsize size = 0;

    return g_file_get_contents(path, &found, &size, NULL) && size == DISK_BYTES &&
           memcmp(found, stage->content, DISK_BYTES) == 0;
}

static void
add_moving_guest(const Stage *stage, GuestState state)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>moving</name><uuid>" MOVING_UUID "</uuid><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
        "<target dev='vda' bus='virtio'/></disk></devices></domain>",
        stage->image);

    fake_hypervisor_add_guest(stage->process->host.fake_hypervisor, xml, state, TRUE);
}

static gboolean
have_running_guest(Stage *stage)
{
    add_moving_guest(stage, GUEST_STATE_RUNNING);
    return TRUE;
}

static gboolean
has_been_aborted(const Stage *stage)
{
    const char *const *calls = fake_hypervisor_calls(stage->process->host.fake_hypervisor);

    return g_strv_contains(calls, "abort_job");
}

/* A daemon that is dead aborts nothing: libvirt goes on. */
static void
be_cancelled(Stage *stage)
{
    Job *job;

    fake_hypervisor_set_job(stage->process->host.fake_hypervisor, MOVING_UUID, TRUE);
    while (!(job = g_atomic_pointer_get(&stage->job)))
        g_usleep(LOOK_USEC);
    g_cancellable_cancel(job_cancellable(job));
    while (!has_been_aborted(stage) && !injector_is_dead(stage->process->injector))
        g_usleep(LOOK_USEC);
    fake_hypervisor_set_job(stage->process->host.fake_hypervisor, MOVING_UUID, FALSE);
}

static gboolean
fake_migrate(const char *uuid, const MigrationRequest *request, void *data, GError **error)
{
    Stage *stage = data;

    if (stage->deed == LIBVIRT_IS_CANCELLED)
        be_cancelled(stage);
    if (stage->deed == LIBVIRT_FAILS || has_been_aborted(stage)) {
        fault_set(error, FAULT_HYPERVISOR_FAILED, "guest 'moving'", "x", "the migration failed");
        return FALSE;
    }
    fake_hypervisor_remove_guest(stage->process->host.fake_hypervisor, MOVING_UUID);
    stage->arrived = TRUE;
    return TRUE;
}

static gboolean
finish(Stage *stage, Job *job)
{
    g_autoptr(Job) owned = job;

    g_atomic_pointer_set(&stage->job, job);
    json_auto_t *result = job ? job_wait(job, NULL) : NULL;
    g_atomic_pointer_set(&stage->job, NULL);
    return result != NULL;
}

static gboolean
migrate(Stage *stage)
{
    Hypervisor *hypervisor = stage->process->host.hypervisor;
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:[s], s:b}", "guest", "moving", "destinationUri",
                  "qemu+ssh://host2/system", "copyDisks", "vda", "removeSourceDisks", TRUE);
    const Policy standing = policy_new();
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, "moving", NULL);
    MigrationPlan *plan =
        guest ? migration_plan_new(asked, guest, &standing, hypervisor, NULL) : NULL;

    return plan && finish(stage, migrations_start(stage->migrations, plan, NULL));
}

static gboolean
migrate_in_vain(Stage *stage)
{
    g_assert_false(migrate(stage) && !stage->arrived);
    return TRUE;
}

/* Its disk goes only when it has gone, and only then is it said that it has. */
static void
judge_migration(Stage *stage, gboolean good)
{
    g_autoptr(Guest) here =
        hypervisor_get_guest(stage->process->host.hypervisor, MOVING_UUID, NULL);

    g_assert_cmpint(here != NULL, !=, stage->arrived);
    if (here) {
        g_assert_cmpint(here->state, ==, GUEST_STATE_RUNNING);
        g_assert_true(has_content(stage, stage->image));
    }
    if (good && stage->deed == LIBVIRT_MOVES)
        g_assert_true(stage->arrived);
    if (stage->deed == LIBVIRT_FAILS)
        g_assert_false(stage->arrived);
}

/* The destination. */

static gboolean
create_targets(Stage *stage, unsigned count)
{
    const char *const names[] = { "a.raw", "b.raw", "c.raw" };
    json_t *targets = json_array();

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *path = g_build_filename(stage->process->host.images, names[i], NULL);

        json_array_append_new(targets, json_pack("{s:s, s:s, s:i}", "path", path, "format", "raw",
                                                 "virtualSizeBytes", DISK_BYTES));
    }
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:o, s:i}", "owner", "test", "token", "t", "guest",
                  "name", "web1", "uuid", GUEST_UUID, "targets", targets, "timeoutSeconds", 600);
    g_autoptr(TargetRequest) request = target_request_new(asked, NULL);
    g_autoptr(Lease) lease = target_leases_create(stage->process->targets, request, NULL);
    return lease != NULL;
}

static void
add_coming_guest(const Stage *stage)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" GUEST_UUID "</uuid><devices>"
        "<disk type='file' device='disk'><source file='%1$s/a.raw'/><target dev='vda'/></disk>"
        "<disk type='file' device='disk'><source file='%1$s/b.raw'/><target dev='vdb'/></disk>"
        "<disk type='file' device='disk'><source file='%1$s/c.raw'/><target dev='vdc'/></disk>"
        "</devices></domain>",
        stage->process->host.images);

    fake_hypervisor_add_guest(stage->process->host.fake_hypervisor, xml, GUEST_STATE_PAUSED, TRUE);
}

static gboolean
have_coming_guest(Stage *stage)
{
    gboolean created = create_targets(stage, 3);

    add_coming_guest(stage);
    return created;
}

static gboolean
arrive(Stage *stage)
{
    fake_hypervisor_set_state(stage->process->host.fake_hypervisor, GUEST_UUID,
                              GUEST_STATE_RUNNING);
    target_leases_reconcile(stage->process->targets);
    return TRUE;
}

static void
judge_arrival(Stage *stage, gboolean good)
{
    static const char *const names[] = { "a.raw", "b.raw", "c.raw" };

    fake_hypervisor_remove_guest(stage->process->host.fake_hypervisor, GUEST_UUID);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(stage->process->host.images, names[i], NULL);

        g_assert_cmpint(g_unlink(path), ==, 0);
    }
}

/* Its deadline has passed while libvirt was at work. */
static gboolean
have_guest_that_comes_late(Stage *stage)
{
    gboolean created = have_coming_guest(stage);

    storage_process_expire(stage->process);
    return created;
}

static gboolean
turn_back(Stage *stage)
{
    fake_hypervisor_remove_guest(stage->process->host.fake_hypervisor, GUEST_UUID);
    target_leases_reconcile(stage->process->targets);
    return TRUE;
}

static void
judge_return(Stage *stage, gboolean good)
{
    g_autoptr(GDir) images = g_dir_open(stage->process->host.images, 0, NULL);

    g_assert_null(g_dir_read_name(images));
}

/* Both: a guest that is shut off. */

static gboolean
have_open_targets(Stage *stage)
{
    add_moving_guest(stage, GUEST_STATE_SHUT_OFF);
    gboolean created = create_targets(stage, 1);
    g_autoptr(GPtrArray) leases = lease_store_list(stage->process->host.store, NULL);
    const Lease *lease = leases->pdata[0];

    stage->served = target_leases_open(stage->process->targets, lease->id, lease->generation, NULL);
    return created && stage->served;
}

static gboolean
send_disks(Stage *stage)
{
    Hypervisor *hypervisor = stage->process->host.hypervisor;
    const json_t *target = json_array_get(stage->served, 0);
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:[{s:s, s:O, s:O}], s:b}", "guest", "moving", "host", "host2",
                  "disks", "target", "vda", "socket", json_object_get(target, "socket"),
                  "virtualSizeBytes", json_object_get(target, "virtualSizeBytes"), "verify", TRUE);
    const Policy policy = policy_new();
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, "moving", NULL);
    const DiskDelivery delivery = {
        .hypervisor = hypervisor,
        .ssh = stage->ssh,
        .image_directories = (char *const *)stage->directories,
        .guest = guest,
        .policy = &policy,
    };

    return guest && finish(stage, disk_delivery_start(stage->jobs, &delivery, asked, NULL));
}

/* What was said to have been sent has been. */
static gboolean
send_and_compare(Stage *stage)
{
    g_autofree char *copy = g_build_filename(stage->process->host.images, "a.raw", NULL);
    gboolean sent = send_disks(stage);

    g_assert_true(!sent || has_content(stage, copy));
    return sent;
}

static void
judge_delivery(Stage *stage, gboolean good)
{
    g_autoptr(GDir) images = g_dir_open(stage->process->host.images, 0, NULL);

    g_assert_true(has_content(stage, stage->image));
    g_assert_null(g_dir_read_name(images));
}

static const Operation operations[] = {
    { "migrate", LIBVIRT_MOVES, have_running_guest, migrate, judge_migration },
    { "migrate-in-vain", LIBVIRT_FAILS, have_running_guest, migrate_in_vain, judge_migration },
    { "migrate-cancelled", LIBVIRT_IS_CANCELLED, have_running_guest, migrate_in_vain,
      judge_migration },
    { "arrive", LIBVIRT_MOVES, have_coming_guest, arrive, judge_arrival },
    { "turn-back", LIBVIRT_MOVES, have_guest_that_comes_late, turn_back, judge_return },
    { "send-disks", LIBVIRT_MOVES, have_open_targets, send_and_compare, judge_delivery },
};

/* The tour. */

static void
set_scene(Stage *stage, const Operation *operation)
{
    FakeHypervisor *fake = stage->process->host.fake_hypervisor;

    fake_hypervisor_remove_guest(fake, MOVING_UUID);
    fake_hypervisor_forget_calls(fake);
    write_image(stage);
    stage->arrived = FALSE;
    stage->deed = operation->deed;
    json_decref(stage->served);
    stage->served = NULL;
    if (operation->prepare)
        g_assert_true(operation->prepare(stage));
}

typedef struct {
    const Operation *operation;
    Stage *stage;
} Tour;

static unsigned
run_play(const CrashPlay *play, const void *data)
{
    const Tour *tour = data;
    Stage *stage = tour->stage;
    Injector *injector = stage->process->injector;
    unsigned before = injector_strikes(injector);

    set_scene(stage, tour->operation);
    injector_arm(injector, play->what, play->point);
    gboolean good = tour->operation->run(stage);
    gboolean struck = injector_strikes(injector) > before;
    g_assert_true(good || struck);
    storage_recovery_run(stage->process, struck ? play : &(CrashPlay) { 0 });
    tour->operation->judge(stage, good);
    return injector_strikes(injector) - before;
}

static char *
make_content(void)
{
    char *content = g_malloc(DISK_BYTES);

    for (unsigned i = 0; i < DISK_BYTES; i++)
        content[i] = (char)(i * 7 + i / 251);
    return content;
}

/* ssh that stays on this host. */
static void
write_ssh(const Stage *stage)
{
    g_autofree char *script = g_strdup_printf(
        "#!/bin/sh\nfor last; do :; done\nexec '%s' proxy storage --socket \"$last\"\n",
        g_getenv("MIGPREP"));

    g_assert_true(g_file_set_contents(stage->ssh, script, -1, NULL));
    g_assert_cmpint(g_chmod(stage->ssh, 0700), ==, 0);
}

static void
stage_init(Stage *stage)
{
    ShareFixture *host;

    stage->process = storage_process_new();
    host = &stage->process->host;
    stage->directory = g_build_filename(host->directory, "source", NULL);
    stage->image = g_build_filename(stage->directory, "moving.raw", NULL);
    stage->ssh = g_build_filename(host->directory, "ssh", NULL);
    stage->directories[0] = stage->directory;
    stage->content = make_content();
    stage->jobs = job_registry_new();
    stage->migrations = migrations_new(stage->jobs, host->hypervisor, 1, stage->directories);
    g_assert_cmpint(g_mkdir(stage->directory, 0700), ==, 0);
    write_ssh(stage);
    fake_hypervisor_set_migrate(host->fake_hypervisor, fake_migrate, stage);
}

static void
stage_clear(Stage *stage)
{
    job_registry_free(stage->jobs);
    migrations_free(stage->migrations);
    storage_process_free(stage->process);
    json_decref(stage->served);
    g_free(stage->directory);
    g_free(stage->image);
    g_free(stage->ssh);
    g_free(stage->content);
}

static void
test_operation(const void *data)
{
    Stage stage = { 0 };
    const Tour tour = { data, &stage };

    stage_init(&stage);
    crash_tour_run(STRIDE, run_play, &tour);
    stage_clear(&stage);
}

int
main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autofree char *path = g_strdup_printf("/crash-move/%s", operations[i].name);

        g_test_add_data_func(path, &operations[i], test_operation);
    }
    crash_tour_add_total("/crash-move/enough-points", 200, 800);
    return g_test_run();
}
