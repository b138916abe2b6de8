/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging the peer of a UNIX socket by the credentials that the kernel noted. */
#include "common/varlink_access.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

VarlinkAccess
varlink_access_for_group(const char *group)
{
    VarlinkAccess access = { .owner = geteuid(), .group = (gid_t)-1 };
    char buffer[16384];
    struct group entry, *found = NULL;

    if (group && getgrnam_r(group, &entry, buffer, sizeof buffer, &found) == 0 && found)
        access.group = found->gr_gid;
    return access;
}

static gboolean
peer_has_group(int fd, gid_t group)
{
    socklen_t length = 0;

    /* Asked without room, the kernel tells how much it takes. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0 || errno != ERANGE)
        return FALSE;
    g_autofree gid_t *groups = g_malloc(length);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0)
        return FALSE;
    for (size_t i = 0; i < length / sizeof *groups; i++) {
        if (groups[i] == group)
            return TRUE;
    }
    return FALSE;
}

gboolean
varlink_access_allows(const VarlinkAccess *access, int fd, uid_t *ret_uid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    *ret_uid = (uid_t)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return FALSE;
    *ret_uid = peer.uid;
    if (peer.uid == 0 || peer.uid == access->owner)
        return TRUE;
    return access->group != (gid_t)-1 &&
           (peer.gid == access->group || peer_has_group(fd, access->group));
}
