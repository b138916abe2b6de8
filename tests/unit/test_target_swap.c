/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of files that are changed for others while they are being removed. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "fake/target_fixture.h"

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __real_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags);
int __wrap_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags);

static const char foreign_text[] = "somebody else's";

/* What happens just before the daemon takes a name away. */
static struct {
    void (*strike)(const char *path);
    const char *path;
    gboolean plain; /* the file system knows no flags of a renaming, as NFS does not */
} before;

static void
strike(const char *name)
{
    void (*deed)(const char *path) = before.strike;

    if (!deed || !g_str_has_suffix(before.path, name))
        return;
    before.strike = NULL;
    deed(before.path);
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
    strike(name);
    return __real_unlinkat(fd, name, flags);
}

int
__wrap_renameat2(int old_fd, const char *old_name, int fd, const char *name, unsigned flags)
{
    if (before.plain && flags) {
        errno = EINVAL;
        return -1;
    }
    strike(old_name);
    return __real_renameat2(old_fd, old_name, fd, name, flags);
}

static void
put_foreign(const char *path)
{
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_true(g_file_set_contents(path, foreign_text, -1, NULL));
}

static void
write_to(const char *path)
{
    FILE *file = fopen(path, "a");

    g_assert_nonnull(file);
    g_assert_cmpint(fputs(foreign_text, file), >=, 0);
    g_assert_cmpint(fclose(file), ==, 0);
}

static void
assert_foreign(const char *path)
{
    g_autofree char *found = NULL;

    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmpstr(found, ==, foreign_text);
}

/* Of the second file. */
static char *
path_aside(const TargetFixture *fixture, const Lease *lease)
{
    const LeaseAsset *asset = lease->assets->pdata[1];

    return g_build_filename(fixture->images,
                            json_string_value(json_object_get(asset->detail, "part")), NULL);
}

static void
assert_release(TargetFixture *fixture, const Lease *lease, gboolean good)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(fixture_release(fixture, lease, &error));
    if (good)
        g_assert_no_error(error);
    else
        g_assert_error(error, FAULT, FAULT_ROLLBACK_INCOMPLETE);
    before.plain = FALSE;
}

static void
test_file_that_is_put_there_meanwhile_stays(TargetFixture *fixture, const void *plain)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    before.strike = put_foreign;
    before.path = fixture->second;
    before.plain = plain != NULL;
    assert_release(fixture, lease, TRUE);
    assert_foreign(fixture->second);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 1);
    g_assert_cmpuint(fixture_count_leases(fixture), ==, 0);
}

static void
test_file_that_is_written_to_meanwhile_stays(TargetFixture *fixture, const void *plain)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autoptr(GError) error = NULL;

    before.strike = write_to;
    before.path = fixture->second;
    before.plain = plain != NULL;
    assert_release(fixture, lease, FALSE);
    g_assert_true(g_file_test(fixture->second, G_FILE_TEST_EXISTS));
    g_assert_true(fixture_release(fixture, lease, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 1);
}

static void
test_removal_goes_without_flags(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);

    before.plain = TRUE;
    assert_release(fixture, lease, TRUE);
    fixture_assert_nothing_left(fixture);
}

/* A daemon that was killed had it aside. */
static void
test_file_that_was_aside_goes(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autofree char *aside = path_aside(fixture, lease);

    g_assert_cmpint(g_rename(fixture->second, aside), ==, 0);
    assert_release(fixture, lease, TRUE);
    fixture_assert_nothing_left(fixture);
}

static void
test_file_that_was_aside_is_given_to_the_guest(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autofree char *aside = path_aside(fixture, lease);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_rename(fixture->second, aside), ==, 0);
    fixture_add_guest(fixture, GUEST_STATE_RUNNING);
    fixture_release(fixture, lease, &error);
    fixture_reconcile_until(fixture, 0);
    g_assert_true(g_file_test(fixture->second, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(fixture_count_files(fixture), ==, 2);
}

static void
test_foreign_file_that_was_aside_comes_back(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autofree char *aside = path_aside(fixture, lease);

    g_assert_cmpint(g_unlink(fixture->second), ==, 0);
    g_assert_true(g_file_set_contents(aside, foreign_text, -1, NULL));
    assert_release(fixture, lease, TRUE);
    assert_foreign(fixture->second);
    g_assert_cmpuint(fixture_count_files(fixture), ==, 1);
}

/* Whose place was taken meanwhile: neither is lost, and somebody is told. */
static void
test_two_foreign_files_stay(TargetFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = fixture_create(fixture, "t", 600);
    g_autofree char *aside = path_aside(fixture, lease);

    put_foreign(fixture->second);
    g_assert_true(g_file_set_contents(aside, foreign_text, -1, NULL));
    assert_release(fixture, lease, FALSE);
    assert_foreign(fixture->second);
    assert_foreign(aside);
    g_assert_cmpint(g_unlink(aside), ==, 0);
    fixture_reconcile_until(fixture, 0);
    assert_foreign(fixture->second);
}

static void
add(const char *name, void (*test)(TargetFixture *, const void *), const void *data)
{
    g_autofree char *path = g_strconcat("/target-swap/", name, NULL);

    g_test_add(path, TargetFixture, data, fixture_set_up, test, fixture_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Warnings are part of what is tested. */
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    add("file-that-is-put-there-meanwhile-stays", test_file_that_is_put_there_meanwhile_stays,
        NULL);
    add("file-that-is-written-to-meanwhile-stays", test_file_that_is_written_to_meanwhile_stays,
        NULL);
    add("put-there-without-flags", test_file_that_is_put_there_meanwhile_stays, "plain");
    add("written-to-without-flags", test_file_that_is_written_to_meanwhile_stays, "plain");
    add("removal-goes-without-flags", test_removal_goes_without_flags, NULL);
    add("file-that-was-aside-goes", test_file_that_was_aside_goes, NULL);
    add("file-that-was-aside-is-given-to-the-guest", test_file_that_was_aside_is_given_to_the_guest,
        NULL);
    add("foreign-file-that-was-aside-comes-back", test_foreign_file_that_was_aside_comes_back,
        NULL);
    add("two-foreign-files-stay", test_two_foreign_files_stay, NULL);
    return g_test_run();
}
