/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of target leases while an NFS server is silent: nobody waits for it for ever, and
 * what is elsewhere goes on. */
#include <glib/gstdio.h>
#include <sys/statvfs.h>

#include "fake/hang.h"
#include "fake/target_fixture.h"

/* One test runs at a time; the operations have no context. */
static gint silent;   /* atomic: whether the server is */
static Hang *touched; /* NULL: whoever looks for room comes back */

/* The linker leads ours here. */
int __real_fstatvfs64(int fd, struct statvfs *status);
int __wrap_fstatvfs64(int fd, struct statvfs *status);

int
__wrap_fstatvfs64(int fd, struct statvfs *status)
{
    if (touched)
        hang_pass(touched);
    return __real_fstatvfs64(fd, status);
}

static gboolean
ask(const char *target, GError **error)
{
    if (g_atomic_int_get(&silent))
        fault_set(error, FAULT_TIMED_OUT, target, NULL, "it was killed");
    return !g_atomic_int_get(&silent);
}

/* It goes so fast that no answer is ever old enough to count. */
static gint64
far_apart(void)
{
    static gint calls;

    return (gint64)g_atomic_int_add(&calls, 1) * 3600 * G_USEC_PER_SEC;
}

static const StoragePulseOps fake_pulse = { ask, far_apart };

static char *
away(TargetFixture *fixture, const char *name)
{
    return g_build_filename(fixture->images, "away", name, NULL);
}

/* The directory "away" is the server's. */
static void
set_up(TargetFixture *fixture, const void *data)
{
    fixture->pulse = &fake_pulse;
    fixture_set_up(fixture, data);
    g_autofree char *directory = away(fixture, NULL);
    g_autofree char *process = g_build_filename(fixture->directory, "proc", "self", NULL);
    g_autofree char *file = g_build_filename(process, "mountinfo", NULL);
    g_autofree char *text = g_strdup_printf("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                            "21 20 0:50 / %s rw - nfs4 host1:/srv rw,hard\n",
                                            directory);

    g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(process, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    g_atomic_int_set(&silent, FALSE);
}

static Lease *
create_away(TargetFixture *fixture, const char *token, GError **error)
{
    g_autofree char *path = away(fixture, token);

    return fixture_create_from(fixture, fixture_one_raw(fixture, token, path, 4096), error);
}

static void
test_nothing_is_made_there(TargetFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    g_atomic_int_set(&silent, TRUE);
    g_assert_null(create_away(fixture, "t", &error));
    g_assert_error(error, FAULT, FAULT_TIMED_OUT);
    g_assert_cmpstr(fault_object(error), ==, "server 'host1'");
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
    g_atomic_int_set(&silent, FALSE);
    g_autoptr(Lease) lease = create_away(fixture, "t", NULL);
    g_assert_nonnull(lease);
}

static void
test_what_is_there_stays_until_it_answers(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = create_away(fixture, "t", NULL);
    g_autofree char *path = away(fixture, "t");
    g_autoptr(GError) error = NULL;

    g_atomic_int_set(&silent, TRUE);
    fixture_release(fixture, lease, &error);
    g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_atomic_int_set(&silent, FALSE);
    fixture_reconcile_until(fixture, 0);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_others_are_made_elsewhere(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) there = create_away(fixture, "t", NULL);

    g_atomic_int_set(&silent, TRUE);
    g_autoptr(Lease) here = fixture_create(fixture, "u", 60);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 2);
}

static void *
create_in_vain(void *fixture)
{
    return create_away(fixture, "u", NULL);
}

/* It answered, and is gone when it is touched. */
static void
test_calls_on_other_leases_do_not_wait(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 60);
    g_autoptr(Hang) hang = hang_new(1);

    touched = hang;
    GThread *thread = g_thread_new("create", create_in_vain, fixture);
    hang_await(hang);
    g_autoptr(Lease) renewed =
        target_leases_renew(fixture->leases, lease->id, lease->generation, 600, NULL);
    g_assert_nonnull(renewed);
    fixture_release(fixture, lease, NULL);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 1);
    hang_end(hang);
    lease_free(g_thread_join(thread));
    touched = NULL;
}

static void *
create_slowly(void *fixture)
{
    return fixture_create(fixture, "t", 60);
}

/* A slow server, a large disk to allocate or a chain to be read may take longer than the lease has
 * time. */
static void
test_time_of_a_lease_begins_when_its_files_are_there(TargetFixture *fixture, const void *data)
{
    g_autoptr(Hang) hang = hang_new(1);

    touched = hang;
    GThread *thread = g_thread_new("create", create_slowly, fixture);
    hang_await(hang);
    g_autoptr(GPtrArray) all = target_leases_list(fixture->leases, NULL);
    const Lease *begun = all->pdata[0];
    /* As if all its time had gone by. */
    g_assert_true(lease_store_renew(fixture->store, begun->id, begun->generation, 0, NULL));
    hang_end(hang);
    g_autoptr(Lease) lease = g_thread_join(thread);
    touched = NULL;
    g_assert_cmpstr(lease->state, ==, "ready");
    g_assert_cmpint(lease->remaining_usec, >, 0);
}

/* A lease that is being made is as one whose maker was killed, but for the claim. */
static void
test_what_is_being_made_is_not_taken_away(TargetFixture *fixture, const void *data)
{
    g_autoptr(Hang) hang = hang_new(1);

    touched = hang;
    GThread *thread = g_thread_new("create", create_slowly, fixture);
    hang_await(hang);
    target_leases_reconcile(fixture->leases);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 1);
    hang_end(hang);
    g_autoptr(Lease) lease = g_thread_join(thread);
    touched = NULL;
    g_assert_cmpstr(lease->state, ==, "ready");
    g_assert_true(g_file_test(fixture->first, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(fixture->second, G_FILE_TEST_EXISTS));
}

static void
add(const char *name, void (*test)(TargetFixture *, const void *))
{
    g_autofree char *path = g_strconcat("/target-silence/", name, NULL);

    g_test_add(path, TargetFixture, NULL, set_up, test, fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    add("nothing-is-made-there", test_nothing_is_made_there);
    add("what-is-there-stays-until-it-answers", test_what_is_there_stays_until_it_answers);
    add("others-are-made-elsewhere", test_others_are_made_elsewhere);
    add("time-of-a-lease-begins-when-its-files-are-there",
        test_time_of_a_lease_begins_when_its_files_are_there);
    add("what-is-being-made-is-not-taken-away", test_what_is_being_made_is_not_taken_away);
    add("calls-on-other-leases-do-not-wait", test_calls_on_other_leases_do_not_wait);
    return g_test_run();
}
