/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns unmounting: only the mount that is meant, never lazily, never by force. */
#include <errno.h>
#include <libmount.h>
#include <string.h>
#include <sys/mount.h>

#include "storprep/nfs/verbs.h"

/* The id of the topmost mount at @target; 0 if there is none. */
static guint64
find_id(const char *target)
{
    struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");
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

int
verb_unmount(char **arguments)
{
    guint64 wanted = g_ascii_strtoull(arguments[1], NULL, 10);

    if (find_id(arguments[0]) != wanted)
        return NFS_STATUS_FOREIGN;
    if (umount2(arguments[0], UMOUNT_NOFOLLOW) == 0)
        return verb_reply(json_object());
    if (errno == EBUSY)
        return NFS_STATUS_BUSY;
    return verb_fail("cannot unmount '%s': %s", arguments[0], g_strerror(errno));
}
