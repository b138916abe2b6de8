/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths whose storage may be away: known from the mount table, without asking anybody. */
#pragma once

#include <glib.h>

/* A file system that another host serves. */
typedef struct {
    char *source;  /* "host1:/srv" */
    char *target;  /* mount point */
    char *options; /* comma-separated, those of the mount itself included */
} NetworkMount;
void network_mount_free(NetworkMount *mount);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkMount, network_mount_free)

/* Who serves it: "host1"; the source itself where it names nobody. Owned by the caller. */
char *network_mount_server(const NetworkMount *mount);

/* What @path, links in it not followed, lies on by @mount_info (NULL: /proc/self/mountinfo); NULL
 * if that is no network file system, or cannot be read. */
NetworkMount *network_path_find(const char *path, const char *mount_info);
gboolean network_path_is(const char *path, const char *mount_info);
/* The type of the file system that @path lies on likewise, "ext4"; NULL if that is not known. Owned
 * by the caller. */
char *network_path_type(const char *path, const char *mount_info);
/* All network file systems: GPtrArray of NetworkMount *. */
GPtrArray *network_path_list(const char *mount_info);
