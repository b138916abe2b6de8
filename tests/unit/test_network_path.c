/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of images on storage that may be away. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fault.h"
#include "storprep/image_header_away.h"
#include "storprep/local_path.h"
#include "storprep/network_path.h"

static const char mounts[] = "28 1 254:0 / / rw shared:1 - ext4 /dev/vda1 rw\n"
                             "90 28 0:51 / /srv rw shared:39 - nfs4 host1:/srv rw,vers=4.2\n"
                             "91 90 254:1 / /srv/local rw shared:40 - xfs /dev/vdb rw\n"
                             "92 28 0:53 / /mnt rw shared:41 - tmpfs none rw\n"
                             "93 92 0:54 / /mnt rw shared:42 - nfs host1:/mnt rw\n";

static void
test_the_mount_of_a_path_decides(void)
{
    static const struct {
        const char *path;
        gboolean is_network;
    } cases[] = {
        { "/var/a", FALSE },     { "/srv/a", TRUE },        { "/srv", TRUE },
        { "/srvx/a", FALSE },    { "/srv/local/a", FALSE }, { "/mnt/a", TRUE },
        { "/srv/locale", TRUE },
    };
    g_autofree char *file = NULL;

    close(g_file_open_tmp("mountinfo-XXXXXX", &file, NULL));
    g_assert_true(g_file_set_contents(file, mounts, -1, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(network_path_is(cases[i].path, file), ==, cases[i].is_network);
    g_assert_false(network_path_is("/srv/a", "/nonexistent"));
    g_assert_false(network_path_is("/proc/self", NULL));
    g_unlink(file);
}

static const char local_mounts[] = "28 1 254:0 / / rw shared:1 - ext4 /dev/vda1 rw\n"
                                   "90 28 0:51 / %s/nfs rw shared:39 - nfs4 host1:/srv rw\n"
                                   "91 28 0:52 / %s/auto rw shared:40 - autofs none rw\n";

/* A link is taken for one that leads to a server. */
static void
test_local_is_what_certainly_answers(void)
{
    static const struct {
        const char *name;
        gboolean is_local;
    } cases[] = { { "disk", TRUE },       { "nfs", FALSE },  { "auto", FALSE }, { "link", FALSE },
                  { "link/disk", FALSE }, { "none", FALSE }, { "file", FALSE } };
    g_autofree char *directory = g_dir_make_tmp("local-path-XXXXXX", NULL);
    g_autofree char *table = g_strdup_printf(local_mounts, directory, directory);
    g_autofree char *file = g_build_filename(directory, "file", NULL);
    g_autofree char *link = g_build_filename(directory, "link", NULL);
    const char *argv[] = { "rm", "-rf", "--", directory, NULL };

    g_assert_true(g_file_set_contents(file, table, -1, NULL));
    g_assert_cmpint(symlink(directory, link), ==, 0);
    for (gsize i = 0; i < 3; i++) {
        g_autofree char *path = g_build_filename(directory, cases[i].name, NULL);

        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(directory, cases[i].name, NULL);

        g_assert_cmpint(local_path_is(path, file), ==, cases[i].is_local);
    }
    g_assert_false(local_path_is(directory, "/nonexistent"));
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
}

static void
test_server_is_named_by_the_source(void)
{
    static const struct {
        const char *source, *server;
    } cases[] = {
        { "host1:/srv", "host1" },      { "[2001:db8::1]:/srv", "[2001:db8::1]" },
        { "//files/share/a", "files" }, { "mon1,mon2:/", "mon1,mon2" },
        { "volume", "volume" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const NetworkMount mount = { .source = (char *)cases[i].source };
        g_autofree char *server = network_mount_server(&mount);

        g_assert_cmpstr(server, ==, cases[i].server);
    }
}

/* A qcow2 version 3 header of 104 bytes: 1 GiB, clusters of 64 KiB, lazy refcounts, a backing file.
 */
static const guint8 qcow2[104] = {
    [0] = 'Q', [1] = 'F', [2] = 'I',   [3] = 0xfb, [7] = 3,  [15] = 104,
    [19] = 4,  [23] = 16, [28] = 0x40, [87] = 1,   [99] = 4, [103] = 104,
};

static void
test_a_header_arrives_as_it_was_read(void)
{
    g_autofree char *file = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) wrong = NULL;
    ImageHeader here, away;

    close(g_file_open_tmp("image-XXXXXX", &file, NULL));
    g_assert_true(g_file_set_contents(file, (const char *)qcow2, sizeof qcow2, NULL));
    g_assert_true(image_header_read(file, IMAGE_FORMAT_QCOW2, &here, &error));
    g_assert_no_error(error);
    g_assert_true(image_header_read_away(file, IMAGE_FORMAT_QCOW2, &away, &error));
    g_assert_no_error(error);
    g_assert_true(image_shape_equal(&here.shape, &away.shape));
    g_assert_cmpint(here.has_backing, ==, away.has_backing);
    g_assert_true(away.has_backing);
    g_assert_cmpint(here.shape.lazy_refcounts, ==, away.shape.lazy_refcounts);
    g_assert_true(g_file_set_contents(file, "nonsense", -1, NULL));
    g_assert_false(image_header_read_away(file, IMAGE_FORMAT_QCOW2, &away, &wrong));
    g_assert_error(wrong, FAULT, FAULT_IMAGE_INVALID);
    g_unlink(file);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/network-path/mounts", test_the_mount_of_a_path_decides);
    g_test_add_func("/network-path/local", test_local_is_what_certainly_answers);
    g_test_add_func("/network-path/server", test_server_is_named_by_the_source);
    g_test_add_func("/image-header-away/same", test_a_header_arrives_as_it_was_read);
    return g_test_run();
}
