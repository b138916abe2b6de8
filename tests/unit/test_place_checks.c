/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storprepd's checks of the storage that both hosts have: each where it holds and where it is
 * broken. */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/parallel.h"
#include "fake/checked_host.h"
#include "storprep/storage_pulse.h"

#define GUESTS 13

static void
need_kernel(void *data)
{
    checked_host_tell(data, "files", json_pack("[s]", "/nonesuch/vmlinux"));
}

static void
stop_pool(void *data)
{
    fake_hypervisor_host(((CheckedHost *)data)->fixture.fake)->pool = NULL;
}

static void
mount_softly(void *data)
{
    checked_host_mount(data, "rw,vers=4.2,soft");
}

static void
mount_old_version(void *data)
{
    checked_host_mount(data, "rw,vers=3,hard");
}

static void
lose_server(void *data)
{
    checked_host_server()->silent = TRUE;
}

static void
forbid_writing(void *data)
{
    checked_host_server()->withheld = "writable";
}

static void
have_no_locks(void *data)
{
    checked_host_server()->withheld = "lockable";
}

static void
squash_root(void *data)
{
    checked_host_server()->withheld = "root";
}

static void
forbid_nfs(void *data)
{
    checked_host_write(data, "/sys/fs/selinux/booleans/virt_use_nfs", "0 0");
}

static void
be_other_user(void *data)
{
    checked_host_tell(data, "qemuUser", json_integer(64055));
}

static void
lose_base_image(void *data)
{
    checked_host_tell(data, "disks",
                      json_pack("[{s:s, s:s, s:s, s:s, s:[{s:s, s:s}]}]", "target", "vda", "path",
                                "/srv/web1.qcow2", "format", "qcow2", "migration", "none",
                                "backing", "path", "/nonesuch/base.qcow2", "format", "qcow2"));
}

static void
block_ceph(void *data)
{
    *checked_host_way() = (CheckedWay) { .first = 6789, .last = 6789 };
}

static char *
label_for_guests(const char *path)
{
    return g_strdup("system_u:object_r:virt_image_t:s0");
}

static char *
label_of_no_one(const char *path)
{
    return g_strdup("unconfined_u:object_r:default_t:s0");
}

static void
have_sectors(void *data, const char *bytes)
{
    const CheckedHost *host = data;
    struct stat status;

    g_assert_cmpint(stat(host->fixture.images, &status), ==, 0);
    g_autofree char *path = g_strdup_printf("/sys/dev/block/%u:%u/queue/logical_block_size",
                                            major(status.st_dev), minor(status.st_dev));
    checked_host_write(data, path, bytes);
}

/* Web1 is to come with a disk that is copied. */
static void
copy_arrives(void *data)
{
    CheckedHost *host = data;

    checked_host_arrives(data);
    have_sectors(data, "512\n");
    host->checks->read_label = label_for_guests;
    checked_host_tell(data, "disks",
                      json_pack("[{s:s, s:s, s:s, s:s, s:i}]", "target", "vda", "path",
                                host->fixture.first, "format", "raw", "migration", "copy",
                                "virtualSizeBytes", 1 << 20));
    checked_host_tell(data, "sectors",
                      json_pack("[{s:s, s:i}]", "path", host->fixture.first, "bytes", 512));
}

static void
have_large_sectors(void *data)
{
    have_sectors(data, "4096\n");
}

static void
label_otherwise(void *data)
{
    ((CheckedHost *)data)->checks->read_label = label_of_no_one;
}

static const CheckCase cases[] = {
    { "guest.files-there", CHECK_BLOCKER, need_kernel, "is not there", checked_host_arrives },
    { "storage.server-answers", CHECK_BLOCKER, lose_server, "did not answer within",
      checked_host_arrives },
    { "storage.backing-there", CHECK_BLOCKER, lose_base_image, "/nonesuch/base.qcow2",
      checked_host_arrives },
    { "storage.servers-reachable", CHECK_BLOCKER, block_ceph, "nobody answers on port 6789",
      checked_host_arrives },
    { "storage.sectors-fit", CHECK_WARNING, have_large_sectors, "sectors of 4096 bytes",
      copy_arrives },
    { "storage.target-label", CHECK_WARNING, label_otherwise, "default_t", copy_arrives },
    { "storage.pools-there", CHECK_WARNING, stop_pool, "not active", checked_host_arrives },
    { "storage.nfs-options", CHECK_WARNING, mount_softly, "'soft'", checked_host_arrives },
    { "storage.nfs-version", CHECK_WARNING, mount_old_version, "NFS 3", checked_host_arrives },
    { "storage.nfs-rights", CHECK_BLOCKER, forbid_writing, "may not write", checked_host_arrives },
    { "storage.nfs-locks", CHECK_BLOCKER, have_no_locks, "has no locks", checked_host_arrives },
    { "storage.nfs-squash", CHECK_WARNING, squash_root, "root_squash", checked_host_arrives },
    { "storage.virt-use-nfs", CHECK_BLOCKER, forbid_nfs, "virt_use_nfs is off",
      checked_host_arrives },
    { "storage.qemu-user-same", CHECK_BLOCKER, be_other_user, "64055 on the guest's host",
      checked_host_arrives },
};

static void
test_disk_on_this_host_needs_no_network_storage(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_arrives(host);
    checked_host_tell(host, "disks",
                      json_pack("[{s:s, s:s, s:s, s:s}]", "target", "vda", "path", "/var/web1.raw",
                                "format", "raw", "migration", "none"));
    g_autoptr(CheckReport) report = storage_check_destination(host->checks, host->facts, NULL);
    g_assert_null(check_report_find(report, "storage.nfs-options", NULL));
    g_assert_null(check_report_find(report, "storage.virt-use-nfs", NULL));
}

static void
test_server_that_does_not_answer_leaves_rights_unknown(void)
{
    static const char *const ids[] = { "storage.nfs-rights", "storage.nfs-locks",
                                       "storage.nfs-squash" };
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_arrives(host);
    checked_host_server()->hangs = TRUE;
    g_autoptr(CheckReport) report = storage_check_destination(host->checks, host->facts, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        g_assert_cmpint(check_case_outcome(report, ids[i]), ==, CHECK_UNKNOWN);
}

/* An image that is there is taken as it is; one that will be copied needs nothing below it. */
static void
test_base_image_is_needed_where_the_image_is(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_arrives(host);
    for (int there = 0; there <= 1; there++) {
        checked_host_tell(host, "disks",
                          json_pack("[{s:s, s:s, s:s, s:s, s:[{s:s, s:s}]}]", "target", "vda",
                                    "path", there ? host->mount_info : host->fixture.first,
                                    "format", "qcow2", "migration", "copy", "backing", "path",
                                    "/nonesuch/base", "format", "raw"));
        g_autoptr(CheckReport) report = storage_check_destination(host->checks, host->facts, NULL);
        const CheckResult *result = check_report_find(report, "storage.backing-there", NULL);
        g_assert_true(there ? result && result->outcome == CHECK_FAILED : !result);
    }
}

/* Whoever is told by which of several servers to reach a cluster needs but one of them. */
static void
test_one_server_of_a_disk_is_enough(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_arrives(host);
    checked_host_tell(host, "servers",
                      json_pack("[{s:s, s:s, s:s, s:i}, {s:s, s:s, s:s, s:i}]", "disk", "vdb",
                                "protocol", "rbd", "host", "ceph1", "port", 3300, "disk", "vdb",
                                "protocol", "rbd", "host", "ceph2", "port", 6789));
    g_autoptr(CheckReport) report = storage_check_destination(host->checks, host->facts, NULL);
    const CheckResult *result = check_report_find(report, "storage.servers-reachable", "disk vdb");
    g_assert_cmpint(result->outcome, ==, CHECK_PASSED);
    g_assert_nonnull(strstr(result->evidence, "ceph2"));
}

static void
test_server_with_an_unknown_name_cannot_be_reached(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    checked_host_arrives(host);
    checked_host_way()->unknown_name = TRUE;
    g_autoptr(CheckReport) report = storage_check_destination(host->checks, host->facts, NULL);
    const CheckResult *result = check_report_find(report, "storage.servers-reachable", NULL);
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_nonnull(strstr(result->evidence, "its name is not known"));
    g_assert_nonnull(strstr(result->remedy, "getent hosts ceph1"));
}

/* Larger ones than the guest has had are those that hurt, and a label matters where it is enforced.
 */
static void
test_directory_is_judged_by_what_the_guest_had(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    copy_arrives(host);
    have_large_sectors(host);
    label_otherwise(host);
    checked_host_write(host, "/sys/fs/selinux/enforce", "0");
    checked_host_tell(host, "sectors",
                      json_pack("[{s:s, s:i}]", "path", host->fixture.first, "bytes", 4096));
    g_autoptr(CheckReport) alike = storage_check_destination(host->checks, host->facts, NULL);
    g_assert_cmpint(check_case_outcome(alike, "storage.sectors-fit"), ==, CHECK_PASSED);
    g_assert_cmpint(check_case_outcome(alike, "storage.target-label"), ==, CHECK_PASSED);
    checked_host_tell(host, "sectors", json_array());
    g_autoptr(CheckReport) untold = storage_check_destination(host->checks, host->facts, NULL);
    g_assert_cmpint(check_case_outcome(untold, "storage.sectors-fit"), ==, CHECK_UNKNOWN);
}

/* What the other host told is the same for each. */
static gboolean
check_one(guint index, void *data, GError **error)
{
    const CheckedHost *host = data;
    g_autoptr(CheckReport) report = storage_check_destination(host->checks, host->facts, error);

    g_assert_cmpint(check_case_outcome(report, "storage.server-answers"), ==, CHECK_FAILED);
    g_assert_cmpint(check_case_outcome(report, "storage.nfs-rights"), ==, CHECK_UNKNOWN);
    g_assert_cmpint(check_case_outcome(report, "storage.target-absent"), ==, CHECK_UNKNOWN);
    return TRUE;
}

/* Else each guest would cost it again, and a thread for each that it touches. */
static void
test_silent_server_is_asked_once_for_many_guests(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();
    gint64 begun_usec = g_get_monotonic_time();

    checked_host_arrives(host);
    lose_server(host);
    g_assert_true(parallel_run(GUESTS, check_one, host, NULL));
    /* Once for as long as the answer counts, which is shorter than all of this takes in valgrind.
     */
    gint64 seconds = (g_get_monotonic_time() - begun_usec) / G_USEC_PER_SEC;
    g_assert_cmpint(checked_host_server()->asked, >=, 1);
    g_assert_cmpint(checked_host_server()->asked, <=, 1 + seconds / STORAGE_PULSE_SILENT_SECONDS);
}

/* Its files, its image's identity, and what QEMU would look at: all of them wait for no one. */
static void
test_guest_on_a_silent_server_is_not_touched(void)
{
    static const char *const ids[] = { "storage.disks-movable", "guest.no-job",
                                       "guest.disks-healthy" };
    g_autoptr(CheckedHost) host = checked_host_new();

    lose_server(host);
    host->devices = "<disk type='file' device='disk'><driver type='raw'/>"
                    "<source file='/srv/web1.raw'/><target dev='vda'/></disk>";
    checked_host_add_guest(host);
    g_autoptr(CheckReport) report = storage_check_source(host->checks, "web1");
    g_assert_cmpint(check_case_outcome(report, "storage.server-answers"), ==, CHECK_FAILED);
    g_assert_cmpint(check_case_outcome(report, "guest.running"), ==, CHECK_PASSED);
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
        const CheckResult *result = check_report_find(report, ids[i], NULL);

        g_assert_cmpint(result->outcome, ==, CHECK_UNKNOWN);
        g_assert_nonnull(strstr(result->evidence, "server 'host1'"));
    }
    g_assert_cmpint(checked_host_server()->asked, ==, 1);
}

static void
test_host_alone_names_each_server(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();
    g_autoptr(CheckReport) good = storage_check_host(host->checks);

    g_assert_cmpint(check_case_outcome(good, "storage.server-answers"), ==, CHECK_PASSED);
    g_autoptr(CheckedHost) other = checked_host_new();
    checked_host_server()->stale = TRUE;
    g_autoptr(CheckReport) bad = storage_check_host(other->checks);
    const CheckResult *result = check_report_find(bad, "storage.server-answers", "server 'host1'");
    g_assert_cmpint(result->outcome, ==, CHECK_FAILED);
    g_assert_nonnull(strstr(result->evidence, "Stale file handle"));
    g_assert_nonnull(strstr(result->remedy, "umount"));
}

/* In each role, with a guest whose disks are here and on a server: no file of the host, no image
 * and no mount is other afterwards, and libvirt was only asked. */
static void
test_no_role_changes_anything(void)
{
    g_autoptr(CheckedHost) host = checked_host_new();

    host->devices = "<disk type='file' device='disk'><driver type='raw'/>"
                    "<source file='/srv/web1.raw'/><target dev='vda'/></disk>";
    checked_host_arrives(host);
    checked_host_leaves(host);
    g_autofree char *before = check_case_snapshot(host->root);
    g_autofree char *images = check_case_snapshot(host->fixture.images);
    g_autofree char *mounts = check_case_snapshot(host->mount_info);
    g_autoptr(CheckReport) leaving = checked_host_leave(host);
    g_autoptr(CheckReport) source = storage_check_source(host->checks, "web1");
    g_autoptr(CheckReport) there = storage_check_destination(host->checks, host->facts, NULL);
    g_autoptr(CheckReport) alone = storage_check_host(host->checks);
    g_assert_true(leaving->results->len && source->results->len && there->results->len &&
                  alone->results->len);
    g_autofree char *after = check_case_snapshot(host->root);
    g_autofree char *images_after = check_case_snapshot(host->fixture.images);
    g_autofree char *mounts_after = check_case_snapshot(host->mount_info);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpstr(images, ==, images_after);
    g_assert_cmpstr(mounts, ==, mounts_after);
    fixture_assert_nothing_left(&host->fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_suite_add(&checked_host_suite, cases, G_N_ELEMENTS(cases));
    g_test_add_func("/place-checks/base-image", test_base_image_is_needed_where_the_image_is);
    g_test_add_func("/place-checks/one-server", test_one_server_of_a_disk_is_enough);
    g_test_add_func("/place-checks/unknown-server",
                    test_server_with_an_unknown_name_cannot_be_reached);
    g_test_add_func("/place-checks/directory", test_directory_is_judged_by_what_the_guest_had);
    g_test_add_func("/place-checks/local-disk", test_disk_on_this_host_needs_no_network_storage);
    g_test_add_func("/place-checks/silent-server",
                    test_server_that_does_not_answer_leaves_rights_unknown);
    g_test_add_func("/place-checks/asked-once", test_silent_server_is_asked_once_for_many_guests);
    g_test_add_func("/place-checks/untouched", test_guest_on_a_silent_server_is_not_touched);
    g_test_add_func("/place-checks/host-alone", test_host_alone_names_each_server);
    g_test_add_func("/place-checks/no-change", test_no_role_changes_anything);
    return g_test_run();
}
