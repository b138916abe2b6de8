/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of NFS mounts under leases: made, shared, restored, undone when unused. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/maintenance.h"
#include "fake/share_fixture.h"
#include "fake/target_fixture.h"
#include "storprep/nfs_mount.h"

#define SOURCE "host1:/srv/images"

/* A path that hangs whoever looks at it; NULL: none. */
static const char *forbidden;

/* The linker leads ours here. */
int __real_stat64(const char *path, struct stat *status);
int __wrap_stat64(const char *path, struct stat *status);

int
__wrap_stat64(const char *path, struct stat *status)
{
    g_assert_cmpstr(path, !=, forbidden ? forbidden : "");
    return __real_stat64(path, status);
}

static Lease *
create(ShareFixture *fixture, const char *token)
{
    g_autoptr(GError) error = NULL;
    Lease *lease = share_fixture_mount(fixture, share_fixture_ask_mount(fixture, token), &error);

    g_assert_no_error(error);
    return lease;
}

static void
restart(ShareFixture *fixture)
{
    share_fixture_stop_daemon(fixture);
    share_fixture_start_daemon(fixture);
}

static void
test_mounted_on_a_new_directory_and_undone(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");
    g_autofree char *path = share_fixture_point(fixture);
    const MountEntry *entry = fixture->fake_mounts->entries->pdata[0];

    g_assert_cmpstr(lease->state, ==, "ready");
    g_assert_cmpstr(entry->source, ==, SOURCE);
    g_assert_cmpstr(entry->target, ==, path);
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
    g_assert_nonnull(strstr(nfs_mount_options(lease), "vers=4.2"));
    g_assert_nonnull(strstr(nfs_mount_options(lease), "hard,proto=tcp"));
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    share_fixture_assert_nothing_left(fixture);
}

static void
test_host_in_maintenance_mounts_nothing_new(ShareFixture *fixture, const void *data)
{
    g_assert_true(maintenance_begin(fixture->directory, "new memory", FALSE, NULL));
    share_fixture_assert_mount_refused(fixture, share_fixture_ask_mount(fixture, "t"),
                                       FAULT_HOST_IN_MAINTENANCE);
    share_fixture_assert_nothing_left(fixture);
    g_assert_true(maintenance_end(fixture->directory, NULL));
    g_autoptr(Lease) lease = create(fixture, "t");
    g_assert_nonnull(lease);
}

static void
test_a_directory_that_was_there_stays(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    g_autoptr(Lease) lease = NULL;

    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    lease = create(fixture, "t");
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 0);
}

static void
test_content_is_hidden_only_when_told(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    g_autofree char *file = g_build_filename(path, "a.qcow2", NULL);
    json_t *parameters = share_fixture_ask_mount(fixture, "t");
    g_autoptr(Lease) lease = NULL;

    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "precious", -1, NULL));
    share_fixture_assert_mount_refused(fixture, share_fixture_ask_mount(fixture, "t"),
                                       FAULT_SHARE_REFUSED);
    json_object_set_new(parameters, "hideContent", json_true());
    lease = share_fixture_mount(fixture, parameters, NULL);
    g_assert_nonnull(lease);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
}

static void
test_bad_requests_leave_no_lease(ShareFixture *fixture, const void *data)
{
    static const struct {
        const char *member, *value;
        FaultCode code;
    } mistakes[] = {
        { "server", "*", FAULT_SHARE_REFUSED },
        { "server", "-o", FAULT_SHARE_REFUSED },
        { "server", "10.0.0.0/8", FAULT_SHARE_REFUSED },
        { "exportPath", "relative", FAULT_INVALID_ARGUMENT },
        { "exportPath", "/srv/../etc", FAULT_INVALID_ARGUMENT },
        { "path", "/etc/x", FAULT_TARGET_REFUSED },
        { "path", "x", FAULT_TARGET_REFUSED },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        json_t *parameters = share_fixture_ask_mount(fixture, "t");

        json_object_set_new(parameters, mistakes[i].member, json_string(mistakes[i].value));
        share_fixture_assert_mount_refused(fixture, parameters, mistakes[i].code);
    }
}

static void
test_no_mount_over_the_exported_directory_itself(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    json_t *parameters = share_fixture_ask_mount(fixture, "t");

    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    fake_mount_table_set_this_host(fixture->fake_mounts, "host1");
    json_object_set_new(parameters, "exportPath", json_string(path));
    share_fixture_assert_mount_refused(fixture, parameters, FAULT_SHARE_REFUSED);
}

/* A repeated request, while the server is down: whoever looks at its mount waits for it. */
static void
test_what_is_mounted_is_not_touched(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    json_t *parameters = share_fixture_ask_mount(fixture, "t");

    fake_mount_table_set_this_host(fixture->fake_mounts, "host1");
    json_object_set_new(parameters, "exportPath", json_string(fixture->directory));
    g_autoptr(Lease) lease = share_fixture_mount(fixture, json_incref(parameters), NULL);
    forbidden = path;
    g_autoptr(Lease) again = share_fixture_mount(fixture, parameters, NULL);
    forbidden = NULL;
    g_assert_cmpstr(again->id, ==, lease->id);
}

static void
test_each_failure_leaves_nothing(ShareFixture *fixture, const void *data)
{
    static const char *const calls[] = { "check", "mount" };

    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        fake_mount_table_fail(fixture->fake_mounts, calls[i], FAULT_TIMED_OUT);
        share_fixture_assert_mount_refused(fixture, share_fixture_ask_mount(fixture, "t"),
                                           FAULT_TIMED_OUT);
        share_fixture_assert_nothing_left(fixture);
    }
}

static void
test_busy_when_unmounted_is_tried_again(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");
    g_autoptr(GError) error = NULL;

    fake_mount_table_fail(fixture->fake_mounts, "unmount", FAULT_SHARE_BUSY);
    g_assert_false(share_fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    fake_mount_table_fail(fixture->fake_mounts, NULL, FAULT_INTERNAL);
    share_fixture_reconcile_until(fixture, 0);
    share_fixture_assert_nothing_left(fixture);
}

static void
test_what_was_mounted_before_stays(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    g_autoptr(Lease) lease = NULL;
    gboolean kept = FALSE;

    fake_mount_table_mount(fixture->fake_mounts, SOURCE "/", path, "nfs");
    lease = create(fixture, "t");
    g_assert_cmpuint(fake_mount_table_mounted(fixture->fake_mounts), ==, 0);
    g_assert_true(share_leases_release(fixture->leases, lease->id, lease->generation, &kept, NULL));
    g_assert_true(kept);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
}

/* A guest's write would fail, its file could not be opened, or nobody else would see its locks. */
static void
test_dangerous_mount_there_is_refused(ShareFixture *fixture, const void *data)
{
    static const char *const options[] = { "rw,vers=4.2,soft,local_lock=none",
                                           "rw,vers=4.2,softerr,local_lock=none",
                                           "ro,vers=4.2,hard,local_lock=none",
                                           "rw,vers=3,hard,nolock,local_lock=all",
                                           "rw,vers=4.2,hard,local_lock=flock" };
    g_autofree char *path = share_fixture_point(fixture);

    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autoptr(GError) error = NULL;

        fake_mount_table_mount_with(fixture->fake_mounts, SOURCE, path, "nfs4", options[i]);
        g_assert_null(share_fixture_mount(fixture, share_fixture_ask_mount(fixture, "t"), &error));
        g_assert_error(error, FAULT, FAULT_SHARE_UNFIT);
        g_assert_nonnull(strstr(fault_object(error), path));
        g_assert_cmpstr(fault_remedy(error), !=, "");
        g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
        g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 0);
        fake_mount_table_forget(fixture->fake_mounts);
    }
}

static void
test_harmless_mount_there_is_used(ShareFixture *fixture, const void *data)
{
    static const char *const options[] = { "rw,vers=4.2,softreval,hard,timeo=600,local_lock=none",
                                           "rw,vers=3,hard,nconnect=4,local_lock=none" };
    g_autofree char *path = share_fixture_point(fixture);

    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autoptr(Lease) lease = NULL;

        fake_mount_table_mount_with(fixture->fake_mounts, SOURCE, path, "nfs4", options[i]);
        lease = create(fixture, "t");
        g_assert_cmpstr(nfs_mount_options(lease), ==, options[i]);
        share_fixture_release(fixture, lease, NULL);
        fake_mount_table_forget(fixture->fake_mounts);
    }
}

static json_t *
ask_for_version(ShareFixture *fixture, const char *token, const char *version)
{
    json_t *asked = share_fixture_ask_mount(fixture, token);

    json_object_set_new(asked, "nfsVersion", json_string(version));
    return asked;
}

/* Be it ours or not. */
static void
test_mount_of_another_version_is_refused(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    g_autoptr(Lease) same = NULL;
    g_autoptr(GError) error = NULL;

    fake_mount_table_mount(fixture->fake_mounts, SOURCE, path, "nfs4");
    share_fixture_assert_mount_refused(fixture, ask_for_version(fixture, "t", "v3"),
                                       FAULT_SHARE_UNFIT);
    same = share_fixture_mount(fixture, ask_for_version(fixture, "u", "v4_2"), &error);
    g_assert_no_error(error);
    g_assert_null(share_fixture_mount(fixture, ask_for_version(fixture, "v", "v4_1"), &error));
    g_assert_error(error, FAULT, FAULT_SHARE_UNFIT);
    g_assert_nonnull(strstr(fault_cause(error), "vers=4.1"));
}

static void
test_other_storage_there_is_refused(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);

    fake_mount_table_mount(fixture->fake_mounts, "host3:/srv/images", path, "nfs4");
    share_fixture_assert_mount_refused(fixture, share_fixture_ask_mount(fixture, "t"),
                                       FAULT_SHARE_UNFIT);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
}

/* Unmounted and mounted again by hand: not ours any more. */
static void
test_what_replaced_ours_stays(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    g_autoptr(Lease) lease = create(fixture, "t");

    fake_mount_table_forget(fixture->fake_mounts);
    fake_mount_table_mount(fixture->fake_mounts, SOURCE, path, "nfs4");
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
}

static void
test_two_leases_share_one_mount(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) first = create(fixture, "t");
    g_autoptr(Lease) second = create(fixture, "u");

    g_assert_cmpuint(fake_mount_table_mounted(fixture->fake_mounts), ==, 1);
    g_assert_true(share_fixture_release(fixture, first, NULL));
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
    g_assert_true(share_fixture_release(fixture, second, NULL));
    share_fixture_assert_nothing_left(fixture);
}

/* The daemon's own thread may be at the lease just now. */
static void
reconcile_until_mounted(ShareFixture *fixture)
{
    gint64 until = fixture_deadline();

    while (fake_mount_table_count(fixture->fake_mounts) != 1) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        share_leases_reconcile(fixture->leases);
    }
}

static void
test_mount_outlives_the_daemon(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");

    share_fixture_stop_daemon(fixture);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
    share_fixture_start_daemon(fixture);
    share_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fake_mount_table_mounted(fixture->fake_mounts), ==, 1);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    share_fixture_assert_nothing_left(fixture);
}

static void
test_committed_mounts_come_back_when_the_server_does(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create(fixture, "t");
    g_autoptr(Lease) committed =
        share_leases_commit(fixture->leases, lease->id, lease->generation, NULL);

    fake_mount_table_forget(fixture->fake_mounts);
    fake_mount_table_fail(fixture->fake_mounts, "mount", FAULT_TIMED_OUT);
    restart(fixture);
    share_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 0);
    fake_mount_table_fail(fixture->fake_mounts, NULL, FAULT_INTERNAL);
    reconcile_until_mounted(fixture);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    share_fixture_assert_nothing_left(fixture);
}

/* How far make() came when the daemon was killed. */
typedef enum {
    CRASHED_RECORDED,  /* nothing made */
    CRASHED_BORN,      /* the directory has its first name */
    CRASHED_PUBLISHED, /* it has its name and is recorded */
    CRASHED_MOUNTED,
    CRASHED_COUNT,
} Crash;

static void
leave_remains(ShareFixture *fixture, Crash crash)
{
    g_autoptr(Lease) lease = create(fixture, "t");
    LeaseAsset *asset = lease->assets->pdata[0];
    g_autofree char *path = share_fixture_point(fixture);
    g_autofree char *part = g_build_filename(fixture->images, share_text(asset, "part"), NULL);
    json_t *undone = json_pack("{s:i}", "id", 0);

    /* A dead daemon does not mount again what goes here. */
    g_clear_pointer(&fixture->leases, share_leases_free);
    if (crash < CRASHED_MOUNTED)
        fake_mount_table_forget(fixture->fake_mounts);
    if (crash < CRASHED_PUBLISHED)
        json_object_set_new(undone, "inode", json_integer(0));
    if (crash == CRASHED_BORN)
        g_assert_cmpint(g_rename(path, part), ==, 0);
    if (crash == CRASHED_RECORDED)
        g_assert_cmpint(g_rmdir(path), ==, 0);
    g_assert_true(share_record(&fixture->host, lease, asset, SHARE_MAKING, undone, NULL));
    lease_store_set_state(fixture->store, lease->id, "making", "", NULL);
}

static void
test_crash_while_making_leaves_nothing(ShareFixture *fixture, const void *data)
{
    for (Crash crash = 0; crash < CRASHED_COUNT; crash++) {
        leave_remains(fixture, crash);
        restart(fixture);
        share_fixture_reconcile_until(fixture, 0);
        share_fixture_assert_nothing_left(fixture);
    }
}

/* Ending by place. */

static gboolean
unmount(ShareFixture *fixture, const char *owner, GError **error)
{
    g_autofree char *path = share_fixture_point(fixture);
    gboolean kept = FALSE;

    return share_leases_end(fixture->leases, "mount", owner, path, &kept, error) && !kept;
}

static void
test_unmount_ends_all_leases_of_its_owner(ShareFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(unmount(fixture, "test", &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
    lease_free(create(fixture, "t"));
    lease_free(create(fixture, "u"));
    g_assert_true(unmount(fixture, "test", NULL));
    share_fixture_assert_nothing_left(fixture);
}

static void
test_unmount_is_refused_while_it_is_needed(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = share_fixture_point(fixture);
    g_autoptr(GError) other = NULL;
    g_autoptr(GError) used = NULL;

    lease_free(create(fixture, "t"));
    g_assert_false(unmount(fixture, "somebody", &other));
    g_assert_error(other, FAULT, FAULT_SHARE_BUSY);
    g_assert_nonnull(strstr(fault_cause(other), "'test'"));
    share_fixture_add_guest(fixture, path);
    g_assert_false(unmount(fixture, "test", &used));
    g_assert_error(used, FAULT, FAULT_SHARE_BUSY);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(ShareFixture *, const void *);
    } tests[] = {
        { "/nfs-mount/made-and-undone", test_mounted_on_a_new_directory_and_undone },
        { "/nfs-mount/maintenance", test_host_in_maintenance_mounts_nothing_new },
        { "/nfs-mount/directory-there", test_a_directory_that_was_there_stays },
        { "/nfs-mount/content", test_content_is_hidden_only_when_told },
        { "/nfs-mount/bad-requests", test_bad_requests_leave_no_lease },
        { "/nfs-mount/loop", test_no_mount_over_the_exported_directory_itself },
        { "/nfs-mount/not-touched", test_what_is_mounted_is_not_touched },
        { "/nfs-mount/failure", test_each_failure_leaves_nothing },
        { "/nfs-mount/busy", test_busy_when_unmounted_is_tried_again },
        { "/nfs-mount/there-before", test_what_was_mounted_before_stays },
        { "/nfs-mount/dangerous", test_dangerous_mount_there_is_refused },
        { "/nfs-mount/harmless", test_harmless_mount_there_is_used },
        { "/nfs-mount/another-version", test_mount_of_another_version_is_refused },
        { "/nfs-mount/other-storage", test_other_storage_there_is_refused },
        { "/nfs-mount/replaced", test_what_replaced_ours_stays },
        { "/nfs-mount/two-leases", test_two_leases_share_one_mount },
        { "/nfs-mount/outlives", test_mount_outlives_the_daemon },
        { "/nfs-mount/come-back", test_committed_mounts_come_back_when_the_server_does },
        { "/nfs-mount/unmount", test_unmount_ends_all_leases_of_its_owner },
        { "/nfs-mount/unmount-needed", test_unmount_is_refused_while_it_is_needed },
        { "/nfs-mount/crash", test_crash_while_making_leaves_nothing },
    };

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_FATAL_MASK |
                           G_LOG_LEVEL_CRITICAL); /* failures are provoked here */
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, ShareFixture, NULL, share_fixture_set_up, tests[i].test,
                   share_fixture_tear_down);
    return g_test_run();
}
