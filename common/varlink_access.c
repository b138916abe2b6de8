/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging the peer of a UNIX socket by the credentials that the kernel noted. */
#include "common/varlink_access.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

static gid_t
find_group(const char *name)
{
    char buffer[16384];
    struct group entry, *found = NULL;

    if (name && getgrnam_r(name, &entry, buffer, sizeof buffer, &found) == 0 && found)
        return found->gr_gid;
    return (gid_t)-1;
}

VarlinkAccess
varlink_access_for_groups(const char *group, const char *monitors)
{
    return (VarlinkAccess) { geteuid(), find_group(group), find_group(monitors) };
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

static gboolean
is_member(const struct ucred *peer, int fd, gid_t group)
{
    return group != (gid_t)-1 && (peer->gid == group || peer_has_group(fd, group));
}

VarlinkLevel
varlink_access_judge(const VarlinkAccess *access, int fd, uid_t *ret_uid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    *ret_uid = (uid_t)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return VARLINK_LEVEL_NONE;
    *ret_uid = peer.uid;
    if (peer.uid == 0 || peer.uid == access->owner || is_member(&peer, fd, access->group))
        return VARLINK_LEVEL_CHANGE;
    return is_member(&peer, fd, access->monitors) ? VARLINK_LEVEL_LOOK : VARLINK_LEVEL_NONE;
}

gboolean
varlink_access_is_look(const char *method)
{
    static const char *const names[] = { "Describe", "List", "Get", "Watch", "Check" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_has_prefix(method, names[i]))
            return TRUE;
    }
    return FALSE;
}
