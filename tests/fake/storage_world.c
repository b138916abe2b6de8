/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/storage_world.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake/target_fixture.h"

#define DISK_BYTES    65536
#define LEASE_SECONDS 600
#define NOBODY        65534
#define LOOK_USEC     5000 /* the fake has no event for an abort */

static const char *const no_directories[] = { NULL };
/* Of the destination; one world is played at a time, and who asks has no context. Atomic. */
static gint server_is_gone;
static const char foreign_text[] = "somebody else's";

static gboolean
ask_server(const char *target, GError **error)
{
    gboolean gone = g_atomic_int_get(&server_is_gone) && strstr(target, "/destination");

    if (gone)
        fault_set(error, FAULT_TIMED_OUT, target, NULL, "it was killed");
    return !gone;
}

/* It goes so fast that no answer is ever old enough to count. */
static gint64
far_apart(void)
{
    static gint calls;

    return (gint64)g_atomic_int_add(&calls, 1) * 3600 * G_USEC_PER_SEC;
}

static const StoragePulseOps pulse = { ask_server, far_apart };

static void
start_daemon(StorageHost *host)
{
    const char *directories[] = { host->images, NULL };
    g_autofree char *state = g_path_get_dirname(host->database);
    g_autofree char *sockets = g_build_filename(state, "sockets", NULL);
    g_autoptr(GError) error = NULL;

    if (host->store)
        return;
    host->store = lease_store_open(host->database, &error);
    g_assert_no_error(error);
    host->leases =
        target_leases_new(host->store, host->hypervisor, directories, host->root, sockets, &pulse);
}

static void
stop_daemon(StorageHost *host)
{
    g_clear_pointer(&host->leases, target_leases_free);
    g_clear_pointer(&host->store, lease_store_free);
}

static void
write_mounts(const StorageHost *host)
{
    g_autofree char *process = g_build_filename(host->root, "proc", "self", NULL);
    g_autofree char *file = g_build_filename(process, "mountinfo", NULL);
    g_autofree char *text = g_strdup_printf("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                            "21 20 0:50 / %s rw - nfs4 nas:/srv rw,hard\n",
                                            host->images);

    g_assert_cmpint(g_mkdir_with_parents(process, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void
host_init(StorageHost *host, const char *directory, const char *name)
{
    host->images = g_build_filename(directory, name, NULL);
    host->root = g_strdup_printf("%s/%s-root", directory, name);
    host->database = g_strdup_printf("%s/%s-state/leases.db", directory, name);
    host->disk = g_build_filename(host->images, "web1.raw", NULL);
    host->foreign = g_build_filename(host->images, "foreign", NULL);
    g_assert_cmpint(g_mkdir(host->images, 0700), ==, 0);
    g_assert_true(g_file_set_contents(host->foreign, foreign_text, -1, NULL));
    write_mounts(host);
    host->fake = fake_hypervisor_new();
    host->hypervisor = fake_hypervisor_get(host->fake);
    start_daemon(host);
}

static void
host_clear(StorageHost *host)
{
    stop_daemon(host);
    hypervisor_free(host->hypervisor);
    g_free(host->images);
    g_free(host->root);
    g_free(host->database);
    g_free(host->disk);
    g_free(host->foreign);
}

/* No two blocks of it are alike. */
static char *
make_content(void)
{
    char *content = g_malloc(DISK_BYTES);

    for (unsigned i = 0; i < DISK_BYTES; i++)
        content[i] = (char)(i * 7 + i / 251);
    return content;
}

static gboolean
has_aborted(const StorageWorld *world)
{
    for (const char *const *call = fake_hypervisor_calls(world->source.fake); *call; call++) {
        if (strcmp(*call, "abort_job") == 0)
            return TRUE;
    }
    return FALSE;
}

/* libvirt waits where the test wants to strike. FALSE: it does not get on. */
static gboolean
pause_at(StorageWorld *world, StorageStage stage)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&world->lock);

    world->reached = stage;
    g_cond_broadcast(&world->changed);
    while (world->allowed <= stage && !world->broken && !has_aborted(world))
        g_cond_wait_until(&world->changed, &world->lock, g_get_monotonic_time() + LOOK_USEC);
    return !world->broken && !has_aborted(world);
}

/* This thread's user for files is QEMU's meanwhile. */
static int
open_as_qemu(StorageWorld *world)
{
    setfsuid(world->qemu_user);
    int fd = open(world->destination.disk, O_RDWR | O_CLOEXEC);
    world->denied = fd < 0 && errno == EACCES;
    setfsuid(geteuid());
    return fd;
}

/* As QEMU opens it: through links, and only if the sizes are equal. */
static gboolean
open_target(StorageWorld *world)
{
    struct stat status;

    if (!world->cut_off && !world->broken)
        world->guest_fd = open_as_qemu(world);
    return world->guest_fd >= 0 && fstat(world->guest_fd, &status) == 0 &&
           status.st_size == DISK_BYTES;
}

static gboolean
copy_half(const StorageWorld *world, unsigned half)
{
    g_autofree char *content = NULL;
    unsigned from = half * DISK_BYTES / 2;
    gsize size;

    return !world->broken && g_file_get_contents(world->source.disk, &content, &size, NULL) &&
           pwrite(world->guest_fd, content + from, DISK_BYTES / 2, from) == DISK_BYTES / 2;
}

static void
leave(StorageWorld *world, gboolean well)
{
    FakeHypervisor *source = world->source.fake, *destination = world->destination.fake;

    if (well) {
        fake_hypervisor_remove_guest(source, STORAGE_WORLD_UUID);
        fake_hypervisor_set_state(destination, STORAGE_WORLD_UUID, GUEST_STATE_RUNNING);
    } else {
        fake_hypervisor_remove_guest(destination, STORAGE_WORLD_UUID);
        fake_hypervisor_set_job(source, STORAGE_WORLD_UUID, FALSE);
        fake_hypervisor_set_state(source, STORAGE_WORLD_UUID, GUEST_STATE_RUNNING);
        if (world->guest_fd >= 0)
            close(world->guest_fd);
        world->guest_fd = -1;
    }
    g_mutex_lock(&world->lock);
    world->reached = STAGE_COMMITTING;
    world->ended = TRUE;
    g_cond_broadcast(&world->changed);
    g_mutex_unlock(&world->lock);
}

static gboolean
fake_migrate(const char *uuid, const MigrationRequest *request, void *data, GError **error)
{
    StorageWorld *world = data;
    g_autoptr(Guest) guest = hypervisor_get_guest(world->source.hypervisor, uuid, NULL);

    g_mutex_lock(&world->lock);
    world->begun = TRUE;
    g_mutex_unlock(&world->lock);
    fake_hypervisor_add_guest(world->destination.fake, guest->xml, GUEST_STATE_PAUSED, TRUE);
    fake_hypervisor_set_job(world->source.fake, uuid, TRUE);
    gboolean copied = open_target(world) && copy_half(world, 0) && pause_at(world, STAGE_COPYING) &&
                      copy_half(world, 1);
    if (copied)
        fake_hypervisor_set_state(world->source.fake, uuid, GUEST_STATE_PAUSED);
    gboolean well = copied && pause_at(world, STAGE_SWITCHING);
    leave(world, well);
    if (!well)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "guest 'web1'", "x", "broken on purpose");
    return well;
}

StorageWorld *
storage_world_new(void)
{
    StorageWorld *world = g_new0(StorageWorld, 1);
    g_autofree char *content = make_content();

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    world->directory = g_dir_make_tmp("storage-XXXXXX", NULL);
    world->target_size = DISK_BYTES;
    world->guest_fd = world->touches_fd = -1;
    world->qemu_user = geteuid();
    g_mutex_init(&world->lock);
    g_cond_init(&world->changed);
    host_init(&world->source, world->directory, "source");
    host_init(&world->destination, world->directory, "destination");
    g_assert_true(g_file_set_contents(world->source.disk, content, DISK_BYTES, NULL));
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" STORAGE_WORLD_UUID "</uuid><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/>"
        "<target dev='vda' bus='virtio'/></disk></devices></domain>",
        world->source.disk);
    fake_hypervisor_add_guest(world->source.fake, xml, GUEST_STATE_RUNNING, TRUE);
    fake_hypervisor_set_migrate(world->source.fake, fake_migrate, world);
    world->jobs = job_registry_new();
    world->migrations = migrations_new(world->jobs, world->source.hypervisor, 1, no_directories);
    return world;
}

void
storage_world_free(StorageWorld *world)
{
    const char *argv[] = { "rm", "-rf", "--", world->directory, NULL };

    job_unref(world->job);
    job_registry_free(world->jobs);
    while (migrations_left(world->migrations))
        g_usleep(1000); /* a detached thread has no event for its end */
    migrations_free(world->migrations);
    host_clear(&world->source);
    host_clear(&world->destination);
    lease_free(world->lease);
    if (world->guest_fd >= 0)
        close(world->guest_fd);
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_mutex_clear(&world->lock);
    g_cond_clear(&world->changed);
    g_free(world->directory);
    g_free(world);
}

void
storage_world_break(StorageWorld *world)
{
    g_mutex_lock(&world->lock);
    world->broken = TRUE;
    g_cond_broadcast(&world->changed);
    g_mutex_unlock(&world->lock);
}

void
storage_world_stop_server(StorageWorld *world)
{
    g_atomic_int_set(&server_is_gone, TRUE);
    world->touches_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    g_assert_cmpint(inotify_add_watch(world->touches_fd, world->destination.images,
                                      IN_OPEN | IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY),
                    >=, 0);
    storage_world_break(world);
}

void
storage_world_start_server(StorageWorld *world)
{
    char events[4096];

    g_assert_cmpint(read(world->touches_fd, events, sizeof events), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
    close(world->touches_fd);
    world->touches_fd = -1;
    g_atomic_int_set(&server_is_gone, FALSE);
}

void
storage_world_deny_qemu(StorageWorld *world)
{
    world->qemu_user = NOBODY;
}

void
storage_world_kill(StorageWorld *world)
{
    stop_daemon(&world->destination);
}

static gboolean
prepare(StorageWorld *world)
{
    StorageHost *host = &world->destination;
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:s, s:I}], s:i}", "owner", "coordinator",
                  "token", "t", "guest", "name", "web1", "uuid", STORAGE_WORLD_UUID, "targets",
                  "path", host->disk, "format", "raw", "virtualSizeBytes",
                  (json_int_t)world->target_size, "timeoutSeconds", LEASE_SECONDS);
    g_autoptr(GError) error = NULL;
    g_autoptr(TargetRequest) request = target_request_new(asked, &error);

    if (world->cut_off || !host->leases)
        return FALSE;
    world->lease = request ? target_leases_create(host->leases, request, &error) : NULL;
    if (world->answer_lost) {
        g_clear_pointer(&world->lease, lease_free);
        storage_world_kill(world);
    }
    if (error)
        g_test_message("CreateTargets: %s", error->message);
    return world->lease != NULL;
}

static gboolean
begin(StorageWorld *world)
{
    json_auto_t *asked = json_pack("{s:s, s:s, s:[s]}", "guest", "web1", "destinationUri",
                                   "qemu+ssh://destination/system", "copyDisks", "vda");
    const Policy standing = policy_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(world->source.hypervisor, "web1", &error);
    MigrationPlan *plan =
        guest ? migration_plan_new(asked, guest, &standing, world->source.hypervisor, &error)
              : NULL;

    world->job = plan ? migrations_start(world->migrations, plan, &error) : NULL;
    if (error)
        g_test_message("Migrate: %s", error->message);
    return world->job != NULL;
}

static void
let_libvirt_go(StorageWorld *world, StorageStage stage)
{
    gint64 until = fixture_deadline();

    g_mutex_lock(&world->lock);
    world->allowed = stage;
    g_cond_broadcast(&world->changed);
    while (!world->ended && world->reached < stage)
        g_assert_true(g_cond_wait_until(&world->changed, &world->lock, until));
    g_mutex_unlock(&world->lock);
}

static gboolean
start_move(StorageWorld *world)
{
    return prepare(world) && !world->cancelled && begin(world);
}

void
storage_world_go(StorageWorld *world, StorageStage stage)
{
    if (stage == STAGE_PREPARING)
        return;
    g_assert_true(start_move(world));
    let_libvirt_go(world, stage);
}

void
storage_world_cancel(StorageWorld *world)
{
    gint64 until = fixture_deadline();

    world->cancelled = TRUE;
    if (!world->job || world->ended)
        return;
    g_cancellable_cancel(job_cancellable(world->job));
    while (!has_aborted(world)) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(LOOK_USEC);
    }
}

/* libvirt goes on when storprepd does not: its end is awaited, not the job's. */
static void
await_end(StorageWorld *world)
{
    gint64 until = fixture_deadline();
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&world->lock);
    world->allowed = STAGES;
    g_cond_broadcast(&world->changed);
    g_mutex_unlock(&world->lock);
    json_auto_t *result = job_wait(world->job, &error);
    g_test_message("Migrate: %s", result ? "went well" : error->message);
    g_mutex_lock(&world->lock);
    while (world->begun && !world->ended)
        g_assert_true(g_cond_wait_until(&world->changed, &world->lock, until));
    g_mutex_unlock(&world->lock);
}

gboolean
storage_host_runs_guest(const StorageHost *host)
{
    g_autoptr(Guest) guest = hypervisor_get_guest(host->hypervisor, STORAGE_WORLD_UUID, NULL);

    return guest && guest->state == GUEST_STATE_RUNNING;
}

void
storage_world_finish(StorageWorld *world)
{
    gboolean kept;

    if (world->job || start_move(world))
        await_end(world);
    if (world->lease && world->destination.leases && !world->cut_off &&
        !storage_host_runs_guest(&world->destination)) {
        g_autoptr(GError) error = NULL;

        if (!target_leases_release(world->destination.leases, world->lease->id,
                                   world->lease->generation, &kept, &error))
            g_test_message("Release: %s", error->message);
    }
    start_daemon(&world->destination);
}

void
storage_world_settle(StorageWorld *world)
{
    StorageHost *host = &world->destination;
    gint64 until = fixture_deadline();

    for (;;) {
        g_autoptr(GPtrArray) all = target_leases_list(host->leases, NULL);

        if (all->len == 0)
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        for (guint i = 0; i < all->len; i++) {
            const Lease *lease = all->pdata[i];
            g_autoptr(Lease) expired = NULL;

            (void)lease_store_renew(host->store, lease->id, lease->generation, 0, NULL);
        }
        target_leases_reconcile(host->leases);
    }
}

static void
assert_text(const char *path, const char *text)
{
    g_autofree char *found = NULL;

    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmpstr(found, ==, text);
}

/* What the guest reads, whatever became of the name of its image. */
static void
assert_content(int fd)
{
    g_autofree char *wanted = make_content();
    g_autofree char *found = g_malloc(DISK_BYTES);

    g_assert_cmpint(pread(fd, found, DISK_BYTES, 0), ==, DISK_BYTES);
    g_assert_cmpmem(found, DISK_BYTES, wanted, DISK_BYTES);
}

/* Only what was there before, or was put there by somebody else. */
static void
assert_nothing_of_ours(const StorageHost *host)
{
    g_autoptr(GDir) directory = g_dir_open(host->images, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(host->images, name, NULL);

        assert_text(path, foreign_text);
    }
}

void
storage_world_check(const StorageWorld *world)
{
    const StorageHost *source = &world->source, *destination = &world->destination;
    gboolean stayed = storage_host_runs_guest(source);
    int fd = stayed ? open(source->disk, O_RDONLY | O_CLOEXEC) : dup(world->guest_fd);

    g_assert_cmpint(stayed, !=, storage_host_runs_guest(destination));
    assert_content(fd);
    close(fd);
    assert_text(source->foreign, foreign_text);
    assert_text(destination->foreign, foreign_text);
    if (stayed)
        assert_nothing_of_ours(destination);
}
