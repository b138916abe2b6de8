/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory that a share is mounted on: found, or made and removed again. */
#pragma once

#include <gio/gio.h>

#include "storprep/image_place.h"

/* A name for a directory in the making, which nobody else can have chosen. Owned. */
char *mount_point_part_new(void);

/*
 * Sets *ret_exists to whether the directory @path, within @directories, is there.
 * FAULT_TARGET_REFUSED if its parent is not, or it is something else; FAULT_SHARE_REFUSED if it
 * holds anything, which a mount would hide, unless @hide.
 */
gboolean mount_point_check(const char *path, const char *const *directories, gboolean hide,
                           gboolean *ret_exists, GError **error);

/* Makes the directory @part beside @path (mode 0711), unless a try before has, and tells its
 * identity. */
gboolean mount_point_make(const char *path, const char *const *directories, const char *part,
                          FileIdentity *ret_identity, GError **error);
/* Gives it the name @path; FAULT_TARGET_EXISTS if something has it. */
gboolean mount_point_publish(const char *path, const char *const *directories, const char *part,
                             GError **error);
/* Removes @part, and @path if it is the empty directory that @identity (NULL: unknown) says. What
 * is not there, not empty or another one stays, and is no error. */
gboolean mount_point_remove(const char *path, const char *const *directories, const char *part,
                            const FileIdentity *identity, GError **error);
