/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may call: root, the server's own user and the members of one group; and who may only look. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef enum {
    VARLINK_LEVEL_NONE,   /* nothing */
    VARLINK_LEVEL_LOOK,   /* what tells and neither changes nor costs anything */
    VARLINK_LEVEL_CHANGE, /* everything */
} VarlinkLevel;

typedef struct {
    uid_t owner;
    gid_t group;    /* (gid_t)-1: no group */
    gid_t monitors; /* its members may look; (gid_t)-1: no group */
} VarlinkAccess;

/* For the calling process; @group and @monitors are names, NULL or unknown: no group. May block on
 * NSS. */
VarlinkAccess varlink_access_for_groups(const char *group, const char *monitors);

/* Judges the process that connected to @fd by what the kernel noted at that moment (SO_PEERCRED,
 * SO_PEERGROUPS: unix(7)), never by its process id, which may be another's by now. *ret_uid is set
 * whenever it is known, else to (uid_t)-1. */
VarlinkLevel varlink_access_judge(const VarlinkAccess *access, int fd, uid_t *ret_uid);

/*
 * Whether calls of @method are for VARLINK_LEVEL_LOOK: those named Describe, List, Get, Watch or
 * Check, as everywhere in our interfaces. What reads images, or asks other hosts, is not among
 * them.
 */
gboolean varlink_access_is_look(const char *method);
