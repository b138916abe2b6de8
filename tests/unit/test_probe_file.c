/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of probe files and of image identity, through the real storprep-nfs. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "fake/share_fixture.h"
#include "storprep/image_identity.h"
#include "storprep/probe_file.h"

static json_t *
asked(const char *directory)
{
    return json_pack("{s:s, s:s, s:s, s:i}", "owner", "test", "token", "t", "directory", directory,
                     "timeoutSeconds", 600);
}

static Lease *
place(ShareFixture *fixture, const char *directory, GError **error)
{
    json_auto_t *parameters = asked(directory);

    return share_fixture_create(fixture, probe_file_request_new(parameters, &fixture->host, error),
                                error);
}

static gboolean
is_found(ShareFixture *fixture, const char *directory, const char *name, const char *nonce)
{
    g_autoptr(GError) error = NULL;
    json_auto_t *reply = probe_file_find(directory, name, nonce, fixture->host.directories, &error);

    g_assert_no_error(error);
    return json_is_true(json_object_get(reply, "found"));
}

static unsigned
count_files(ShareFixture *fixture)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->images, 0, NULL);
    unsigned count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

static void
test_placed_found_and_removed(ShareFixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Lease) lease = place(fixture, fixture->images, &error);
    const char *name = probe_file_name(lease);
    g_autofree char *other = probe_file_name_new();

    g_assert_no_error(error);
    g_assert_true(probe_file_is_name(name));
    g_assert_true(is_found(fixture, fixture->images, name, probe_file_nonce(lease)));
    g_assert_false(is_found(fixture, fixture->images, name, "another nonce"));
    g_assert_false(is_found(fixture, fixture->images, other, probe_file_nonce(lease)));
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpuint(count_files(fixture), ==, 0);
}

/* What is reached by a link may be a server's, so a program of its own looks there. */
static void
test_through_a_link_all_is_the_same(ShareFixture *fixture, const void *data)
{
    g_autofree char *link = g_build_filename(fixture->directory, "link", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink(fixture->images, link), ==, 0);
    fixture->roots[0] = link;
    g_autoptr(Lease) lease = place(fixture, link, &error);
    g_assert_no_error(error);
    fixture->roots[0] = fixture->images;
    g_assert_true(
        is_found(fixture, fixture->images, probe_file_name(lease), probe_file_nonce(lease)));
    fixture->roots[0] = link;
    g_assert_true(is_found(fixture, link, probe_file_name(lease), probe_file_nonce(lease)));
    g_assert_true(share_fixture_release(fixture, lease, NULL));
    g_assert_cmpuint(count_files(fixture), ==, 0);
    fixture->roots[0] = fixture->images;
}

static void
test_another_directory_has_no_probe(ShareFixture *fixture, const void *data)
{
    g_autofree char *other = g_build_filename(fixture->images, "other", NULL);
    g_autoptr(Lease) lease = place(fixture, fixture->images, NULL);

    g_assert_cmpint(g_mkdir(other, 0700), ==, 0);
    g_assert_false(is_found(fixture, other, probe_file_name(lease), probe_file_nonce(lease)));
}

static void
test_the_daemon_s_death_leaves_no_probe(ShareFixture *fixture, const void *data)
{
    g_autoptr(Lease) lease = place(fixture, fixture->images, NULL);

    lease_store_set_state(fixture->store, lease->id, "making", "", NULL);
    share_fixture_stop_daemon(fixture);
    share_fixture_start_daemon(fixture);
    share_fixture_reconcile_until(fixture, 0);
    g_assert_cmpuint(count_files(fixture), ==, 0);
}

static void
test_only_probes_in_image_directories_are_looked_for(ShareFixture *fixture, const void *data)
{
    g_autofree char *name = probe_file_name_new();
    const char *const *directories = fixture->host.directories;
    g_autoptr(GError) outside = NULL;
    g_autoptr(GError) other = NULL;
    g_autoptr(GError) nowhere = NULL;

    g_assert_null(probe_file_find("/etc", name, "n", directories, &outside));
    g_assert_error(outside, FAULT, FAULT_TARGET_REFUSED);
    g_assert_cmpstr(fault_object(outside), ==, "target '/etc'");
    g_assert_null(probe_file_find(fixture->images, "../x", "n", directories, &other));
    g_assert_error(other, FAULT, FAULT_INVALID_ARGUMENT);
    g_assert_null(place(fixture, "/etc", &nowhere));
    g_assert_error(nowhere, FAULT, FAULT_TARGET_REFUSED);
}

static json_t *
identify(ShareFixture *fixture, const char *path)
{
    json_auto_t *paths = json_pack("[s]", path);
    json_auto_t *list = image_identity_list(paths, fixture->host.directories, NULL);

    return json_incref(json_array_get(list, 0));
}

static void
test_images_are_told_apart(ShareFixture *fixture, const void *data)
{
    g_autofree char *first = g_build_filename(fixture->images, "a", NULL);
    g_autofree char *second = g_build_filename(fixture->images, "b", NULL);
    g_autofree char *absent = g_build_filename(fixture->images, "c", NULL);

    g_assert_true(g_file_set_contents(first, "same", -1, NULL));
    g_assert_true(g_file_set_contents(second, "same", -1, NULL));
    json_auto_t *a = identify(fixture, first);
    json_auto_t *b = identify(fixture, second);
    json_auto_t *again = identify(fixture, first);
    json_auto_t *c = identify(fixture, absent);
    g_assert_true(json_equal(a, again));
    g_assert_true(json_equal(json_object_get(a, "headDigest"), json_object_get(b, "headDigest")));
    g_assert_false(json_equal(json_object_get(a, "inode"), json_object_get(b, "inode")));
    g_assert_cmpint(json_integer_value(json_object_get(a, "sizeBytes")), ==, 4);
    g_assert_true(json_is_false(json_object_get(c, "found")));
    g_assert_true(json_is_string(json_object_get(c, "reason")));
}

static void
test_links_and_foreign_paths_are_no_images(ShareFixture *fixture, const void *data)
{
    g_autofree char *link = g_build_filename(fixture->images, "link", NULL);
    json_auto_t *paths = json_pack("[s]", "/etc/passwd");
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    json_auto_t *found = identify(fixture, link);
    g_assert_true(json_is_false(json_object_get(found, "found")));
    g_assert_null(image_identity_list(paths, fixture->host.directories, &error));
    g_assert_error(error, FAULT, FAULT_TARGET_REFUSED);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(ShareFixture *, const void *);
    } tests[] = {
        { "/probe-file/placed", test_placed_found_and_removed },
        { "/probe-file/link", test_through_a_link_all_is_the_same },
        { "/probe-file/elsewhere", test_another_directory_has_no_probe },
        { "/probe-file/crash", test_the_daemon_s_death_leaves_no_probe },
        { "/probe-file/bounds", test_only_probes_in_image_directories_are_looked_for },
        { "/image-identity/apart", test_images_are_told_apart },
        { "/image-identity/links", test_links_and_foreign_paths_are_no_images },
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, ShareFixture, NULL, share_fixture_set_up, tests[i].test,
                   share_fixture_tear_down);
    return g_test_run();
}
