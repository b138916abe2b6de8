/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the count of what a share waits for: commits, each of which is a sync, and programs besides
 * those of NFS server and mounts, which are fakes here. */
#include <sqlite3.h>
#include <string.h>

#include "common/child.h"
#include "fake/share_fixture.h"
#include "storprep/export.h"
#include "storprep/nfs_mount.h"
#include "storprep/probe_file.h"

int __real_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_step(sqlite3_stmt *statement);

gboolean __real_child_start(const char *const *argv, const char *const *environment,
                            const int descriptors[3], Child *ret_child, GError **error);
gboolean __wrap_child_start(const char *const *argv, const char *const *environment,
                            const int descriptors[3], Child *ret_child, GError **error);

static gint commits, programs;

gboolean
__wrap_child_start(const char *const *argv, const char *const *environment,
                   const int descriptors[3], Child *ret_child, GError **error)
{
    g_atomic_int_inc(&programs);
    return __real_child_start(argv, environment, descriptors, ret_child, error);
}

int
__wrap_sqlite3_step(sqlite3_stmt *statement)
{
    if (g_str_equal(sqlite3_sql(statement), "COMMIT"))
        g_atomic_int_inc(&commits);
    return __real_sqlite3_step(statement);
}

/* @request is stolen; with what was made, which is released. */
static void
assert_commits(ShareFixture *fixture, ShareRequest *request, int expected)
{
    g_autoptr(GError) error = NULL;

    g_atomic_int_set(&commits, 0);
    g_atomic_int_set(&programs, 0);
    g_autoptr(Lease) lease = share_fixture_create(fixture, request, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_atomic_int_get(&commits), ==, expected);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpint(g_atomic_int_get(&programs), ==, 0);
}

/* Recorded, recorded as not there before it is made, and recorded as made and ready. */
static void
test_export_is_three_commits(ShareFixture *fixture, const void *data)
{
    QemuConf conf = { .user = (char *)"+107", .group = (char *)"+108" };
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:s, s:[s], s:s, s:i}", "owner", "test", "token", "t", "directory",
                  fixture->images, "hosts", "host2", "squash", "none", "timeoutSeconds", 600);

    assert_commits(fixture, export_request_new(asked, &fixture->host, &conf, NULL), 3);
}

static void
test_mount_on_a_new_directory_is_three_commits(ShareFixture *fixture, const void *data)
{
    g_autofree char *path = g_build_filename(fixture->images, "shared", NULL);
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "owner", "test", "token", "t", "server",
                  "host1", "exportPath", "/srv/images", "path", path, "timeoutSeconds", 600);

    assert_commits(fixture, nfs_mount_request_new(asked, &fixture->host, NULL), 3);
}

/* Its name is nobody else's, so that it may be there is recorded at once. In a directory of this
 * host no program is needed. */
static void
test_probe_is_two_commits(ShareFixture *fixture, const void *data)
{
    json_auto_t *asked = json_pack("{s:s, s:s, s:s, s:i}", "owner", "test", "token", "t",
                                   "directory", fixture->images, "timeoutSeconds", 600);

    assert_commits(fixture, probe_file_request_new(asked, &fixture->host, NULL), 2);
}

static void
add(const char *name, void (*test)(ShareFixture *, const void *))
{
    g_test_add(name, ShareFixture, NULL, share_fixture_set_up, test, share_fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/share-cost/export", test_export_is_three_commits);
    add("/share-cost/mount", test_mount_on_a_new_directory_is_three_commits);
    add("/share-cost/probe", test_probe_is_two_commits);
    return g_test_run();
}
