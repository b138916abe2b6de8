/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns unmounting: only the mount that is meant, never lazily, never by force. */
#include <errno.h>
#include <sys/mount.h>

#include "storprep/nfs/mount_place.h"
#include "storprep/nfs/verbs.h"

int
verb_unmount(char **arguments)
{
    const char *target = arguments[0];

    if (!mount_place_is_allowed(target))
        return verb_fail("'%s' is the system's: nothing of ours is mounted there", target);
    if (mount_place_id("self", target) != g_ascii_strtoull(arguments[1], NULL, 10))
        return NFS_STATUS_FOREIGN;
    if (umount2(target, UMOUNT_NOFOLLOW) == 0)
        return verb_reply(json_object());
    if (errno == EBUSY)
        return NFS_STATUS_BUSY;
    return verb_fail("cannot unmount '%s': %s", target, g_strerror(errno));
}
