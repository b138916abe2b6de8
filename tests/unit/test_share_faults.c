/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases of shares while somebody waits for a server, and where the database or several things at
 * once fail: calls end with a word of who is at work, and what is left is tried again. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "fake/faulty_sql.h"
#include "fake/hang.h"
#include "fake/share_fixture.h"
#include "fake/target_fixture.h"
#include "storprep/export.h"
#include "storprep/nfs_mount.h"
#include "storprep/probe_file.h"

#define AS_ASKED "rw,sync,no_subtree_check,sec=sys,no_root_squash,wdelay"
#define AGO      (600 * G_USEC_PER_SEC) /* longer than anybody waits */

/* The linker leads all of ours here. */
gint64 __real_g_get_monotonic_time(void);
gint64 __wrap_g_get_monotonic_time(void);

/* Whoever begins to wait has waited enough already. Atomic. */
static gint impatient;

gint64
__wrap_g_get_monotonic_time(void)
{
    return __real_g_get_monotonic_time() - (g_atomic_int_get(&impatient) ? AGO : 0);
}

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __real_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags);
int __wrap_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags);

static gint no_names_change; /* on the disk. Atomic. */

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
    errno = EIO;
    return g_atomic_int_get(&no_names_change) ? -1 : __real_unlinkat(fd, name, flags);
}

int
__wrap_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags)
{
    errno = EIO;
    return g_atomic_int_get(&no_names_change) ? -1
                                              : __real_renameat2(old_fd, old_name, fd, name, flags);
}

static Lease *
mount_as(ShareFixture *fixture, const char *token, GError **error)
{
    g_autofree char *path = g_build_filename(fixture->images, "shared", NULL);
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "owner", "test", "token", token, "server",
                  "host1", "exportPath", "/srv/images", "path", path, "timeoutSeconds", 600);

    return share_fixture_create(fixture, nfs_mount_request_new(asked, &fixture->host, error),
                                error);
}

static Lease *
try_export_as(ShareFixture *fixture, const char *token, json_t *hosts, GError **error)
{
    const QemuConf conf = { .user = (char *)"+107", .group = (char *)"+108" };
    json_auto_t *asked =
        json_pack("{s:s, s:s, s:s, s:o, s:s, s:i}", "owner", "test", "token", token, "directory",
                  fixture->images, "hosts", hosts, "squash", "none", "timeoutSeconds", 600);

    return share_fixture_create(fixture, export_request_new(asked, &fixture->host, &conf, error),
                                error);
}

static Lease *
try_export(ShareFixture *fixture, json_t *hosts, GError **error)
{
    return try_export_as(fixture, "t", hosts, error);
}

static Lease *
export_to(ShareFixture *fixture, json_t *hosts)
{
    g_autoptr(GError) error = NULL;
    Lease *lease = try_export(fixture, hosts, &error);

    g_assert_no_error(error);
    return lease;
}

static void
expire(ShareFixture *fixture, const Lease *lease)
{
    g_assert_true(lease_store_renew(fixture->store, lease->id, lease->generation, 0, NULL));
}

/* One call waits for a server: what others hear meanwhile. */

static void *
mount_slowly(void *data)
{
    return mount_as(data, "slow", NULL);
}

/* *@error is what came instead of @lease. */
static void
assert_waited(const Lease *lease, GError **error)
{
    g_assert_null(lease);
    g_assert_error(*error, FAULT, FAULT_LEASE_BUSY);
    g_assert_nonnull(strstr(fault_cause(*error), "another call is working on it"));
    g_clear_error(error);
}

static void
assert_calls_end(ShareFixture *fixture, const char *id)
{
    GError *error = NULL;
    const Lease *lease = mount_as(fixture, "slow", &error);
    gboolean kept;

    assert_waited(lease, &error);
    lease = share_leases_renew(fixture->leases, id, 0, 60, &error);
    assert_waited(lease, &error);
    lease = share_leases_commit(fixture->leases, id, 0, &error);
    assert_waited(lease, &error);
    g_assert_false(share_leases_release(fixture->leases, id, 0, &kept, &error));
    assert_waited(NULL, &error);
}

/* Another lease on the same mount: neither made nor, for now, undone. */
static void
assert_neighbour_is_left_for_later(ShareFixture *fixture)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(mount_as(fixture, "neighbour", &error));
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 2);
}

static void
test_calls_do_not_wait_for_ever_for_one_that_does(ShareFixture *fixture, const void *data)
{
    g_autoptr(Hang) hang = hang_new(1);

    fake_mount_table_set_hang(fixture->fake_mounts, hang);
    GThread *slow = g_thread_new("slow", mount_slowly, fixture);
    hang_await(hang);
    g_autoptr(GPtrArray) all = lease_store_list(fixture->store, NULL);
    g_atomic_int_set(&impatient, TRUE);
    assert_calls_end(fixture, ((const Lease *)all->pdata[0])->id);
    assert_neighbour_is_left_for_later(fixture);
    g_atomic_int_set(&impatient, FALSE);
    hang_end(hang);
    g_autoptr(Lease) lease = g_thread_join(slow);
    g_assert_cmpstr(lease->state, ==, "ready");
    share_fixture_reconcile_until(fixture, 1);
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 0);
}

static void *
look_slowly(void *data)
{
    share_leases_reconcile(((ShareFixture *)data)->leases);
    return NULL;
}

static gboolean
one_waits(ShareFixture *fixture, Lease *const *leases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autoptr(Lease) now = lease_store_get(fixture->store, leases[i]->id, 0, NULL);

        if (strstr(now->reason, "another call is working on it"))
            return TRUE;
    }
    return FALSE;
}

/* Two leases of one mount, which is gone, and whose server lets the first one wait. */
static void
test_who_restores_does_not_wait_for_who_restores_the_same(ShareFixture *fixture, const void *data)
{
    g_autoptr(Hang) hang = hang_new(1);
    g_autoptr(Lease) first = mount_as(fixture, "first", NULL);
    g_autoptr(Lease) second = mount_as(fixture, "second", NULL);
    Lease *const leases[] = { first, second };
    gint64 until = fixture_deadline();

    fake_mount_table_set_hang(fixture->fake_mounts, hang);
    fake_mount_table_forget(fixture->fake_mounts);
    GThread *looking = g_thread_new("look", look_slowly, fixture);
    hang_await(hang);
    while (!one_waits(fixture, leases, G_N_ELEMENTS(leases))) {
        g_assert_cmpint(g_get_monotonic_time(), <, until);
        g_usleep(1000);
    }
    hang_end(hang);
    g_thread_join(looking);
    share_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 1);
    g_assert_false(one_waits(fixture, leases, G_N_ELEMENTS(leases)));
    g_assert_true(share_fixture_release(fixture, first, NULL));
    g_assert_true(share_fixture_release(fixture, second, NULL));
    g_assert_cmpuint(fake_mount_table_count(fixture->fake_mounts), ==, 0);
}

/* Failures. */

static guint
count_files(const char *directory)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

/* One that was made, and one that may have been: mounting failed before it was. */
static void
test_a_mount_point_that_could_not_be_taken_back_goes_later(ShareFixture *fixture, const void *data)
{
    static const char *const failures[] = { NULL, "check" };
    guint before = count_files(fixture->images);

    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(GError) error = NULL;

        fake_mount_table_fail(fixture->fake_mounts, failures[i], FAULT_INTERNAL);
        g_atomic_int_set(&no_names_change, TRUE);
        g_assert_null(mount_as(fixture, "t", &error));
        g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
        g_atomic_int_set(&no_names_change, FALSE);
        share_fixture_reconcile_until(fixture, 0);
        g_assert_cmpuint(count_files(fixture->images), ==, before);
    }
}

/* The first of them is told; the others' turn comes all the same. */
static void
test_all_that_can_go_goes(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = export_to(fixture, json_pack("[s, s, s]", "host2", "host3", "host4"));
    g_autoptr(GError) error = NULL;

    fixture->fake_server->fail = "remove";
    g_assert_false(share_fixture_release(fixture, lease, &error));
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 3);
    fixture->fake_server->fail = NULL;
    share_fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

static void
assert_reason(ShareFixture *fixture, const Lease *lease, const char *words)
{
    g_autoptr(Lease) now = lease_store_get(fixture->store, lease->id, 0, NULL);

    g_assert_cmpstr(now->state, ==, "degraded");
    g_assert_nonnull(strstr(now->reason, words));
}

/* However often it is tried. */
static void
test_the_reason_is_the_latest(ShareFixture *fixture, const void *data)
{
    static const char *const calls[] = { "remove", "remove", "list" };
    g_autoptr(Lease) lease = export_to(fixture, json_pack("[s]", "host2"));

    expire(fixture, lease);
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        fixture->fake_server->fail = calls[i];
        share_leases_reconcile(fixture->leases);
        assert_reason(fixture, lease, calls[i]);
    }
    fixture->fake_server->fail = NULL;
    share_fixture_reconcile_until(fixture, 0);
}

/* A request to the database fails while leases are looked at; none is lost, and the next look ends
 * them. FALSE: there are fewer requests. */
static gboolean
fail_at(ShareFixture *fixture, unsigned number)
{
    g_autoptr(Lease) lease = export_to(fixture, json_pack("[s, s]", "host2", "host3"));

    expire(fixture, lease);
    faulty_sql_arm(number);
    share_leases_reconcile(fixture->leases);
    gboolean struck = faulty_sql_has_struck();
    faulty_sql_arm(0);
    share_fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    return struck;
}

static void
test_a_database_that_fails_loses_nothing(ShareFixture *fixture, const void *data)
{
    unsigned number = 1;

    while (fail_at(fixture, number))
        number++;
    g_assert_cmpuint(number, >, 4);
}

/* The server refuses, and the database does not even tell what to undo; it is undone all the same,
 * later. FALSE: there are fewer requests. */
static gboolean
fail_twice(ShareFixture *fixture, unsigned number)
{
    g_autoptr(GError) error = NULL;

    fixture->fake_server->fail = "add";
    faulty_sql_arm(number);
    g_autoptr(Lease) lease = try_export(fixture, json_pack("[s]", "host2"), &error);
    gboolean struck = faulty_sql_has_struck();
    faulty_sql_arm(0);
    fixture->fake_server->fail = NULL;
    g_assert_null(lease);
    g_assert_nonnull(error);
    share_fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    return struck;
}

static void
test_a_failure_that_cannot_be_undone_at_once_is_undone_later(ShareFixture *fixture,
                                                             const void *data)
{
    unsigned number = 1;

    while (fail_twice(fixture, number))
        number++;
    g_assert_cmpuint(number, >, 4);
}

/* Each is tried, and the first reason is told. */
static void
test_ending_goes_on_after_a_failure(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) first = try_export_as(fixture, "a", json_pack("[s]", "host2"), NULL);
    g_autoptr(Lease) second = try_export_as(fixture, "b", json_pack("[s]", "host3"), NULL);
    g_autoptr(GError) error = NULL;
    gboolean kept = TRUE;

    fixture->fake_server->fail = "remove";
    g_assert_false(
        share_leases_end(fixture->leases, "export", "test", fixture->images, &kept, &error));
    g_assert_nonnull(error);
    fixture->fake_server->fail = NULL;
    share_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
}

/* What stays as it is. */

static void
test_renewed_commitment_is_one(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = export_to(fixture, json_pack("[s]", "host2"));
    g_autoptr(Lease) committed =
        share_leases_commit(fixture->leases, lease->id, lease->generation, NULL);
    g_autoptr(Lease) renewed =
        share_leases_renew(fixture->leases, lease->id, lease->generation, 60, NULL);

    g_assert_cmpstr(committed->state, ==, "committed");
    g_assert_cmpstr(renewed->state, ==, "committed");
}

static void
test_what_was_there_before_is_neither_restored_nor_ended(ShareFixture *fixture, const void *data)
{
    gboolean kept = FALSE;

    fake_nfs_server_export(fixture->fake_server, "host2", fixture->images, AS_ASKED);
    g_autoptr(Lease) lease = export_to(fixture, json_pack("[s]", "host2"));
    fake_nfs_server_forget(fixture->fake_server);
    share_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fake_nfs_server_count(fixture->fake_server), ==, 0);
    g_assert_true(
        share_leases_end(fixture->leases, "export", "test", fixture->images, &kept, NULL));
    g_assert_true(kept);
}

/* Nobody needs a probe for longer than it is there. */
static void
test_probes_are_not_restored(ShareFixture *fixture, const void *data)
{
    json_auto_t *asked = json_pack("{s:s, s:s, s:s, s:i}", "owner", "test", "token", "t",
                                   "directory", fixture->images, "timeoutSeconds", 600);
    g_autoptr(Lease) lease =
        share_fixture_create(fixture, probe_file_request_new(asked, &fixture->host, NULL), NULL);
    const char *path = share_subject(lease->assets->pdata[0]);

    g_assert_cmpint(g_unlink(path), ==, 0);
    share_leases_reconcile(fixture->leases);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(share_fixture_release(fixture, lease, NULL));
}

/* Which leases are meant. */

static void
test_what_is_ended_is_named_by_kind_and_place(ShareFixture *fixture, const void *data)
{
    g_autofree char *elsewhere = g_build_filename(fixture->images, "elsewhere", NULL);
    g_autoptr(Lease) mount = mount_as(fixture, "m", NULL);
    g_autoptr(Lease) share = export_to(fixture, json_pack("[s]", "host2"));
    g_autoptr(GError) error = NULL;
    gboolean kept = TRUE;

    g_assert_false(share_leases_end(fixture->leases, "export", "test", elsewhere, &kept, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(
        share_leases_end(fixture->leases, "export", "other", fixture->images, &kept, &error));
    g_assert_error(error, FAULT, FAULT_SHARE_BUSY);
    g_assert_true(
        share_leases_end(fixture->leases, "export", "test", fixture->images, &kept, NULL));
    g_assert_false(kept);
    g_assert_cmpuint(share_fixture_count_leases(fixture), ==, 1);
    g_assert_true(share_fixture_release(fixture, mount, NULL));
    g_clear_error(&error);
    g_assert_false(share_fixture_release(fixture, mount, &error));
    g_assert_error(error, FAULT, FAULT_LEASE_NOT_FOUND);
}

static void
test_kinds(void)
{
    static const char *const kinds[] = { "export", "firewall", "mount", "pool", "probe" };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_assert_true(share_lease_has_kind(kinds[i]));
    g_assert_false(share_lease_has_kind("targets"));
    share_leases_free(NULL);
}

static void
add(const char *name, void (*test)(ShareFixture *, const void *))
{
    g_autofree char *path = g_strconcat("/share-faults/", name, NULL);

    g_test_add(path, ShareFixture, NULL, share_fixture_set_up, test, share_fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    add("calls-end-while-one-waits", test_calls_do_not_wait_for_ever_for_one_that_does);
    add("restored-by-another", test_who_restores_does_not_wait_for_who_restores_the_same);
    add("mount-point-goes-later", test_a_mount_point_that_could_not_be_taken_back_goes_later);
    add("all-that-can-go-goes", test_all_that_can_go_goes);
    add("reason", test_the_reason_is_the_latest);
    add("failing-database-loses-nothing", test_a_database_that_fails_loses_nothing);
    add("ending-goes-on-after-a-failure", test_ending_goes_on_after_a_failure);
    add("undone-later", test_a_failure_that_cannot_be_undone_at_once_is_undone_later);
    add("committed-and-renewed", test_renewed_commitment_is_one);
    add("there-before", test_what_was_there_before_is_neither_restored_nor_ended);
    add("probes-not-restored", test_probes_are_not_restored);
    add("ended-by-kind-and-place", test_what_is_ended_is_named_by_kind_and_place);
    g_test_add_func("/share-faults/kinds", test_kinds);
    return g_test_run();
}
