/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds a directory that looks like /sys. */
#include "fake/fake_sysfs.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

static void
make_directory(const char *path)
{
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void
write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
make_link(const char *target, const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_assert_cmpint(symlink(target, path), ==, 0);
}

char *
fake_sysfs_new(void)
{
    char *root = g_dir_make_tmp("sysfs-XXXXXX", NULL);
    g_autofree char *links = g_build_filename(root, "class", "net", NULL);

    make_directory(links);
    return root;
}

static void
remove_tree(const char *path)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
        const char *name;

        while (directory && (name = g_dir_read_name(directory))) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            remove_tree(child);
        }
    }
    g_remove(path);
}

void
fake_sysfs_remove(char *root)
{
    remove_tree(root);
    g_free(root);
}

static char *
device_path(const char *root, const char *address)
{
    return g_build_filename(root, "devices", address, NULL);
}

void
fake_sysfs_add_card(const char *root, const char *name, const char *address,
                    const char *const *functions)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *link = g_build_filename(root, "class", "net", name, NULL);
    g_autofree char *target = g_strdup_printf("../../../devices/%s", address);
    g_autofree char *count = g_strdup_printf("%u\n", g_strv_length((char **)functions));

    make_directory(device);
    make_directory(link);
    make_link(target, link, "device");
    write_file(device, "sriov_numvfs", count);
    for (unsigned i = 0; functions[i]; i++) {
        g_autofree char *function = device_path(root, functions[i]);
        g_autofree char *number = g_strdup_printf("virtfn%u", i);
        g_autofree char *up = g_strdup_printf("../%s", functions[i]);

        make_directory(function);
        make_link(up, device, number);
    }
}

void
fake_sysfs_bind(const char *root, const char *address, const char *driver)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *path = g_build_filename(device, "driver", NULL);
    g_autofree char *target = g_strdup_printf("../../drivers/%s", driver);

    g_remove(path);
    if (driver)
        make_link(target, device, "driver");
}

void
fake_sysfs_add_link(const char *root, const char *address, const char *name, unsigned flags,
                    const char *master)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *listed = g_build_filename(device, "net", name, NULL);
    g_autofree char *link = g_build_filename(root, "class", "net", name, NULL);
    g_autofree char *text = g_strdup_printf("0x%x\n", flags);
    g_autofree char *target = g_strdup_printf("../../../devices/%s", address);

    make_directory(listed);
    make_directory(link);
    make_link(target, link, "device");
    write_file(link, "flags", text);
    if (master)
        make_link(master, link, "master");
}
