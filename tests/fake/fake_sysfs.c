/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds a directory that looks like /sys. */
#include "fake/fake_sysfs.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <unistd.h>

#define FUNCTIONS_PER_BUS 256

static void
make_directory(const char *path)
{
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void
write_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    FILE *file = fopen(path, "we");

    g_assert_nonnull(file);
    g_assert_cmpint(fputs(text, file), >=, 0);
    g_assert_cmpint(fclose(file), ==, 0);
}

static void
make_link(const char *target, const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    g_remove(path);
    g_assert_cmpint(symlink(target, path), ==, 0);
}

char *
fake_sysfs_new(void)
{
    char *root = g_dir_make_tmp("sysfs-XXXXXX", NULL);
    g_autofree char *links = g_build_filename(root, "class", "net", NULL);
    g_autofree char *devices = g_build_filename(root, "bus", "pci", "devices", NULL);

    make_directory(links);
    make_directory(devices);
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

static char *
link_path(const char *root, const char *name)
{
    return g_build_filename(root, "class", "net", name, NULL);
}

/* A group that no other device has by itself: the address, read as a number. */
static int
own_group(const char *address)
{
    return (int)(g_str_hash(address) & 0x3fffffff);
}

void
fake_sysfs_set_group(const char *root, const char *address, int number)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *path = g_build_filename(device, "iommu_group", NULL);
    g_autofree char *target = g_strdup_printf("../../kernel/iommu_groups/%d", number);

    g_remove(path);
    if (number >= 0)
        make_link(target, device, "iommu_group");
}

void
fake_sysfs_add_device(const char *root, const char *address, const char *class, int number)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *bus = g_build_filename(root, "bus", "pci", "devices", NULL);
    g_autofree char *target = g_strdup_printf("../../../devices/%s", address);

    make_directory(device);
    make_link(target, bus, address);
    write_file(device, "class", class);
    fake_sysfs_set_group(root, address, number);
}

void
fake_sysfs_add_card(const char *root, const char *name, const char *address,
                    const char *const *functions)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *count = g_strdup_printf("%u\n", g_strv_length((char **)functions));

    fake_sysfs_add_device(root, address, "0x020000\n", own_group(address));
    write_file(device, "sriov_totalvfs", "256\n");
    write_file(device, "sriov_numvfs", count);
    write_file(device, "numa_node", "1\n");
    for (unsigned i = 0; functions[i]; i++) {
        fake_sysfs_add_device(root, functions[i], "0x020000\n", own_group(functions[i]));
        fake_sysfs_put_function(root, address, i, functions[i]);
    }
    if (!name)
        return;
    fake_sysfs_add_link(root, address, name, IFF_UP, NULL);
    fake_sysfs_set_link(root, name, "carrier", "1\n");
    fake_sysfs_set_link(root, name, "mtu", "1500\n");
    fake_sysfs_set_link(root, name, "dev_port", "0\n");
}

void
fake_sysfs_add_large_card(const char *root, const char *name, unsigned bus, unsigned count)
{
    g_autofree char *address = g_strdup_printf("0000:%02x:00.0", bus);
    g_autoptr(GStrvBuilder) functions = g_strv_builder_new();

    for (unsigned i = 0; i < count; i++) {
        unsigned place = i % FUNCTIONS_PER_BUS;
        g_autofree char *function = g_strdup_printf(
            "0000:%02x:%02x.%x", bus + 1 + i / FUNCTIONS_PER_BUS, place / 8, place % 8);
        g_strv_builder_add(functions, function);
    }
    g_auto(GStrv) list = g_strv_builder_end(functions);
    fake_sysfs_add_card(root, name, address, (const char *const *)list);
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *link = g_strdup_printf("%sv%u", name, i);
        fake_sysfs_bind(root, list[i], "igbvf");
        fake_sysfs_add_link(root, list[i], link, IFF_UP, NULL);
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
    g_autofree char *link = link_path(root, name);
    g_autofree char *text = g_strdup_printf("0x%x\n", flags);
    g_autofree char *target = g_strdup_printf("../../../devices/%s", address);

    make_directory(listed);
    make_directory(link);
    make_link(target, link, "device");
    write_file(link, "flags", text);
    if (master)
        fake_sysfs_stack(root, master, name);
}

void
fake_sysfs_add_virtual(const char *root, const char *name, const char *kind, const char *lower)
{
    g_autofree char *link = link_path(root, name);
    g_autofree char *type = g_strdup_printf("DEVTYPE=%s\nINTERFACE=%s\n", kind, name);
    g_autofree char *mark =
        g_build_filename(link, g_str_equal(kind, "bond") ? "bonding" : kind, NULL);

    make_directory(link);
    write_file(link, "uevent", type);
    if (!g_str_equal(kind, "vlan"))
        make_directory(mark);
    if (lower)
        fake_sysfs_stack(root, name, lower);
}

void
fake_sysfs_stack(const char *root, const char *upper, const char *lower)
{
    g_autofree char *above = link_path(root, upper);
    g_autofree char *below = link_path(root, lower);
    g_autofree char *up = g_strconcat("upper_", upper, NULL);
    g_autofree char *down = g_strconcat("lower_", lower, NULL);
    g_autofree char *to_upper = g_strconcat("../", upper, NULL);
    g_autofree char *to_lower = g_strconcat("../", lower, NULL);

    make_link(to_upper, below, up);
    make_link(to_lower, above, down);
}

static void
set_file(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    if (text)
        write_file(directory, name, text);
    else
        g_assert_cmpint(g_remove(path), ==, 0);
}

void
fake_sysfs_set_link(const char *root, const char *link, const char *name, const char *text)
{
    g_autofree char *path = link_path(root, link);

    set_file(path, name, text);
}

void
fake_sysfs_set_device(const char *root, const char *address, const char *name, const char *text)
{
    g_autofree char *path = device_path(root, address);

    set_file(path, name, text);
}

void
fake_sysfs_drop_function(const char *root, const char *address, unsigned index)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *name = g_strdup_printf("virtfn%u", index);
    g_autofree char *path = g_build_filename(device, name, NULL);

    g_assert_cmpint(g_remove(path), ==, 0);
}

void
fake_sysfs_put_function(const char *root, const char *address, unsigned index, const char *function)
{
    g_autofree char *device = device_path(root, address);
    g_autofree char *name = g_strdup_printf("virtfn%u", index);
    g_autofree char *target = g_strdup_printf("../%s", function);

    make_link(target, device, name);
}

void
fake_sysfs_hide_link(const char *root, const char *name)
{
    g_autofree char *path = link_path(root, name);

    remove_tree(path);
}
