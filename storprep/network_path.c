/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the search of the mount that a path lies on. */
#include "storprep/network_path.h"

#include <libmount.h>
#include <string.h>

void
network_mount_free(NetworkMount *mount)
{
    if (!mount)
        return;
    g_free(mount->source);
    g_free(mount->target);
    g_free(mount->options);
    g_free(mount);
}

static gboolean
is_network_type(const char *type)
{
    static const char *const types[] = { "nfs",  "nfs4",  "cifs",   "smb3",           "ceph",
                                         "afs",  "9p",    "lustre", "fuse.glusterfs", "fuse.ceph",
                                         "gfs2", "ocfs2", NULL };

    return type && g_strv_contains(types, type);
}

static gboolean
is_at_or_below(const char *path, const char *target)
{
    size_t length = strlen(target);

    return g_str_equal(target, "/") ||
           (strncmp(path, target, length) == 0 && (path[length] == '/' || !path[length]));
}

/* NULL if another file system. */
static NetworkMount *
read_mount(struct libmnt_fs *fs)
{
    const char *source = mnt_fs_get_source(fs);

    if (!is_network_type(mnt_fs_get_fstype(fs)))
        return NULL;
    NetworkMount *mount = g_new0(NetworkMount, 1);
    mount->source = g_strdup(source ? source : "none");
    mount->target = g_strdup(mnt_fs_get_target(fs));
    mount->options =
        g_strdup_printf("%s,%s", mnt_fs_get_vfs_options(fs), mnt_fs_get_fs_options(fs));
    return mount;
}

/* Calls @look for each mount, in the order in which they were made. */
static void
for_each_mount(const char *mount_info, void (*look)(struct libmnt_fs *fs, void *data), void *data)
{
    struct libmnt_table *table =
        mnt_new_table_from_file(mount_info ? mount_info : "/proc/self/mountinfo");
    struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
    struct libmnt_fs *fs = NULL;

    while (table && mnt_table_next_fs(table, iterator, &fs) == 0) {
        if (mnt_fs_get_target(fs))
            look(fs, data);
    }
    mnt_free_iter(iterator);
    mnt_unref_table(table);
}

typedef struct {
    const char *path;
    size_t longest;
    NetworkMount *found;
    char *type;
} Search;

/* The last one of equal length lies on top. */
static void
compare_mount(struct libmnt_fs *fs, void *data)
{
    Search *search = data;
    const char *target = mnt_fs_get_target(fs);

    if (strlen(target) < search->longest || !is_at_or_below(search->path, target))
        return;
    search->longest = strlen(target);
    network_mount_free(search->found);
    search->found = read_mount(fs);
    g_free(search->type);
    search->type = g_strdup(mnt_fs_get_fstype(fs));
}

NetworkMount *
network_path_find(const char *path, const char *mount_info)
{
    Search search = { .path = path };

    for_each_mount(mount_info, compare_mount, &search);
    g_free(search.type);
    return search.found;
}

char *
network_path_type(const char *path, const char *mount_info)
{
    Search search = { .path = path };

    for_each_mount(mount_info, compare_mount, &search);
    network_mount_free(search.found);
    return search.type;
}

static void
add_mount(struct libmnt_fs *fs, void *mounts)
{
    NetworkMount *mount = read_mount(fs);

    if (mount)
        g_ptr_array_add(mounts, mount);
}

GPtrArray *
network_path_list(const char *mount_info)
{
    GPtrArray *mounts = g_ptr_array_new_with_free_func((GDestroyNotify)network_mount_free);

    for_each_mount(mount_info, add_mount, mounts);
    return mounts;
}

gboolean
network_path_is(const char *path, const char *mount_info)
{
    g_autoptr(NetworkMount) mount = network_path_find(path, mount_info);

    return mount != NULL;
}

/* "//SERVER/SHARE" of CIFS, "SERVER:/PATH" of the others; IPv6 addresses have colons, too. */
char *
network_mount_server(const NetworkMount *mount)
{
    const char *source = mount->source;
    const char *path = strstr(source, ":/");

    if (g_str_has_prefix(source, "//"))
        return g_strndup(source + 2, strcspn(source + 2, "/"));
    return path ? g_strndup(source, (gsize)(path - source)) : g_strdup(source);
}
