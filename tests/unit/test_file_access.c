/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a user may do with files, through the real storprep-nfs. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "storprep/file_access.h"

/* The real storprep-nfs, as the user that runs the test. */
static void
test_rights_are_asked_without_a_change(void)
{
    g_autofree char *directory = g_dir_make_tmp("access-XXXXXX", NULL);
    g_autofree char *image = g_build_filename(directory, "image", NULL);
    g_autoptr(GError) error = NULL;
    json_auto_t *paths = json_pack("[s, s]", image, "/nonesuch/image");

    g_assert_true(g_file_set_contents(image, "data", -1, NULL));
    json_auto_t *files = file_access_try(paths, getuid(), getgid(), &error);
    g_assert_no_error(error);
    const json_t *found = json_array_get(files, 0);
    g_assert_true(json_is_true(json_object_get(found, "readable")));
    g_assert_true(json_is_true(json_object_get(found, "writable")));
    g_assert_true(json_is_true(json_object_get(found, "lockable")));
    g_assert_true(json_is_true(json_object_get(json_array_get(files, 1), "absent")));
    g_assert_cmpint(g_remove(image), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

/* Another user has neither root's rights nor its groups. */
static void
test_rights_are_those_of_the_user(void)
{
    g_autofree char *directory = g_dir_make_tmp("access-XXXXXX", NULL);
    g_autofree char *image = g_build_filename(directory, "image", NULL);
    json_auto_t *paths = json_pack("[s]", image);
    g_autoptr(GError) error = NULL;

    if (getuid() != 0) {
        g_assert_null(g_getenv("REQUIRE_REAL"));
        g_test_skip("only root can ask as another user");
        g_assert_cmpint(g_rmdir(directory), ==, 0);
        return;
    }
    g_assert_cmpint(g_chmod(directory, 0755), ==, 0);
    g_assert_true(g_file_set_contents(image, "data", -1, NULL));
    g_assert_cmpint(g_chmod(image, 0600), ==, 0);
    json_auto_t *files = file_access_try(paths, 64999, 64999, &error);
    g_assert_no_error(error);
    g_assert_true(json_is_false(json_object_get(json_array_get(files, 0), "readable")));
    g_assert_true(json_is_false(json_object_get(json_array_get(files, 0), "writable")));
    g_assert_cmpint(g_remove(image), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-access/own", test_rights_are_asked_without_a_change);
    g_test_add_func("/file-access/of-another-user", test_rights_are_those_of_the_user);
    return g_test_run();
}
