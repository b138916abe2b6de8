/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where something is mounted, or may be. */
#pragma once

#include <glib.h>

/* The id of the topmost mount at @target in the mount namespace of @process, a name below /proc; 0
 * if there is none or it cannot be told. */
guint64 mount_place_id(const char *process, const char *target);

/* Whether this process mounts for the whole host. Ids of mounts are unique in the system: the same
 * root mount means the same namespace. Comparing /proc/PID/ns/mnt would take CAP_SYS_PTRACE. */
gboolean mount_place_is_shared(void);

/* Pure: whether @target is a plain absolute path that is not "/" and not where the system itself
 * lies (/usr, /etc, /run and the like). */
gboolean mount_place_is_allowed(const char *target);
