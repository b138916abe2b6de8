/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may call: root, the server's own user and the members of one group. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
    uid_t owner;
    gid_t group; /* (gid_t)-1: no group */
} VarlinkAccess;

/* For the calling process; @group is a name, NULL or unknown: no group. May block on NSS. */
VarlinkAccess varlink_access_for_group(const char *group);

/* Judges the process that connected to @fd by what the kernel noted at that moment (SO_PEERCRED,
 * SO_PEERGROUPS: unix(7)). *ret_uid is set whenever it is known, else to (uid_t)-1. */
gboolean varlink_access_allows(const VarlinkAccess *access, int fd, uid_t *ret_uid);
