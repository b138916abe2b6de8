/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths whose storage may be away: known from the mount table, without asking anybody. */
#pragma once

#include <glib.h>

/* Whether @path, links in it not followed, lies on a file system that another host serves, by
 * @mount_info (NULL: /proc/self/mountinfo). FALSE if that cannot be read. */
gboolean network_path_is(const char *path, const char *mount_info);

/* The options of the network file system that @path lies on, comma-separated, those of the mount
 * itself included; NULL if it lies on none. Owned by the caller. */
char *network_path_options(const char *path, const char *mount_info);
