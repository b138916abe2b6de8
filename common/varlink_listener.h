/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A listening UNIX socket and its place in the file system. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct VarlinkListener VarlinkListener;

typedef void (*VarlinkAccept)(int fd, void *data); /* on the main loop; takes @fd over */

/* Binds a new socket at @path, mode 0660 and of @group ((gid_t)-1: not changed), in place of one
 * that nobody listens on. FAULT_INVALID_ARGUMENT naming the path. */
VarlinkListener *varlink_listener_bind(const char *path, gid_t group, VarlinkAccept accepted,
                                       void *data, GError **error);
/* Takes over @fd, a listening UNIX stream socket; FAULT_INVALID_ARGUMENT if it is none. */
VarlinkListener *varlink_listener_adopt(int fd, VarlinkAccept accepted, void *data, GError **error);
/* Removes the path too if it was made by bind(). */
void varlink_listener_free(VarlinkListener *listener);
