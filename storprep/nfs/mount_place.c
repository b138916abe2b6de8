/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns looking at mounts before they are changed: whoever asks may have been led astray. */
#include "storprep/nfs/mount_place.h"

#include <libmount.h>
#include <string.h>

guint64
mount_place_id(const char *process, const char *target)
{
    g_autofree char *path = g_build_filename("/proc", process, "mountinfo", NULL);
    struct libmnt_table *table = mnt_new_table_from_file(path);
    struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_BACKWARD);
    struct libmnt_fs *fs = NULL;
    guint64 id = 0;

    while (table && id == 0 && mnt_table_next_fs(table, iterator, &fs) == 0) {
        if (strcmp(mnt_fs_get_target(fs), target) == 0)
            id = (guint64)mnt_fs_get_id(fs);
    }
    mnt_free_iter(iterator);
    mnt_unref_table(table);
    return id;
}

gboolean
mount_place_is_shared(void)
{
    guint64 root = mount_place_id("self", "/");

    return root != 0 && root == mount_place_id("1", "/");
}

gboolean
mount_place_is_allowed(const char *target)
{
    static const char *const system[] = { "bin",   "boot", "dev",  "efi", "etc",  "lib", "lib32",
                                          "lib64", "proc", "root", "run", "sbin", "sys", "usr" };
    g_autofree char *canonical = g_canonicalize_filename(target, "/");
    size_t length = strcspn(canonical + 1, "/");

    if (!g_str_equal(target, canonical) || length == 0)
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(system); i++) {
        if (strlen(system[i]) == length && strncmp(canonical + 1, system[i], length) == 0)
            return FALSE;
    }
    return TRUE;
}
