/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the search of the mount that a path lies on. */
#include "storprep/network_path.h"

#include <libmount.h>
#include <string.h>

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

static void
keep_options(struct libmnt_fs *fs, char **options)
{
    g_free(*options);
    *options = is_network_type(mnt_fs_get_fstype(fs))
                   ? g_strdup_printf("%s,%s", mnt_fs_get_vfs_options(fs), mnt_fs_get_fs_options(fs))
                   : NULL;
}

char *
network_path_options(const char *path, const char *mount_info)
{
    struct libmnt_table *table =
        mnt_new_table_from_file(mount_info ? mount_info : "/proc/self/mountinfo");
    struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
    struct libmnt_fs *fs = NULL;
    size_t longest = 0;
    char *options = NULL;

    /* The last one of equal length lies on top. */
    while (table && mnt_table_next_fs(table, iterator, &fs) == 0) {
        const char *target = mnt_fs_get_target(fs);

        if (target && strlen(target) >= longest && is_at_or_below(path, target)) {
            longest = strlen(target);
            keep_options(fs, &options);
        }
    }
    mnt_free_iter(iterator);
    mnt_unref_table(table);
    return options;
}

gboolean
network_path_is(const char *path, const char *mount_info)
{
    g_autofree char *options = network_path_options(path, mount_info);

    return options != NULL;
}
