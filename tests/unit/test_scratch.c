/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a killed process leaves goes with the next; what lives, or is somebody else's, stays. */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cli/scratch.h"

#define PATH_BYTES 256

static char *
make_parent(void)
{
    char *parent = g_dir_make_tmp("scratch-XXXXXX", NULL);

    g_assert_nonnull(parent);
    return parent;
}

static void
write_into(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "ssh", NULL);

    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void
test_it_is_gone_with_what_is_in_it(void)
{
    g_autofree char *parent = make_parent();
    Scratch *scratch = scratch_new(parent);

    g_assert_nonnull(scratch);
    write_into(scratch_path(scratch));
    scratch_free(scratch);
    g_assert_cmpint(g_rmdir(parent), ==, 0);
}

/* A process that makes one, tells where it is and waits to be killed. */
static void
be_killed(const char *parent, int told)
{
    Scratch *scratch = scratch_new(parent);
    char path[PATH_BYTES] = { 0 };

    write_into(scratch_path(scratch));
    g_strlcpy(path, scratch_path(scratch), sizeof path);
    if (write(told, path, sizeof path) == sizeof path)
        pause();
    _exit(1);
}

static void
test_what_a_killed_process_left_goes_with_the_next(void)
{
    g_autofree char *parent = make_parent();
    char left[PATH_BYTES];
    int told[2];

    g_assert_cmpint(pipe(told), ==, 0);
    pid_t child = fork();
    if (child == 0)
        be_killed(parent, told[1]);
    g_assert_cmpint(read(told[0], left, sizeof left), ==, sizeof left);
    g_autoptr(Scratch) early = scratch_new(parent);
    g_assert_true(g_file_test(left, G_FILE_TEST_IS_DIR));
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    g_assert_true(g_file_test(left, G_FILE_TEST_IS_DIR));

    g_autoptr(Scratch) next = scratch_new(parent);
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(scratch_path(early), G_FILE_TEST_IS_DIR));
    g_clear_pointer(&early, scratch_free);
    g_clear_pointer(&next, scratch_free);
    g_assert_cmpint(g_rmdir(parent), ==, 0);
    close(told[0]);
    close(told[1]);
}

static void
test_what_only_has_such_a_name_stays(void)
{
    g_autofree char *parent = make_parent();
    g_autofree char *file = g_build_filename(parent, "migprep-run-file", NULL);
    g_autofree char *link = g_build_filename(parent, "migprep-run-link", NULL);
    g_autofree char *other = g_build_filename(parent, "migprep-other", NULL);

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_cmpint(g_mkdir(other, 0700), ==, 0);
    g_assert_cmpint(symlink(other, link), ==, 0);
    write_into(other);
    scratch_free(scratch_new(parent));
    g_autofree char *inside = g_build_filename(link, "ssh", NULL);
    g_assert_true(g_file_test(inside, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_unlink(inside), ==, 0);
    g_assert_cmpint(g_unlink(link), ==, 0);
    g_assert_cmpint(g_unlink(file), ==, 0);
    g_assert_cmpint(g_rmdir(other), ==, 0);
    g_assert_cmpint(g_rmdir(parent), ==, 0);
}

static void
test_no_place_is_no_directory(void)
{
    g_assert_null(scratch_new("/nonesuch"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scratch/removed", test_it_is_gone_with_what_is_in_it);
    g_test_add_func("/scratch/killed", test_what_a_killed_process_left_goes_with_the_next);
    g_test_add_func("/scratch/foreign", test_what_only_has_such_a_name_stays);
    g_test_add_func("/scratch/no-place", test_no_place_is_no_directory);
    return g_test_run();
}
