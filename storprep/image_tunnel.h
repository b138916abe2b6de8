/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to an image that another host serves, through ssh and its migprep. */
#pragma once

#include <gio/gio.h>

#include "common/child.h"

typedef struct {
    const char *ssh;    /* the program */
    const char *host;   /* passed host_name_check() */
    const char *socket; /* where it is served there, by NBD; passed image_tunnel_check() */
} ImageAddress;

typedef struct {
    Child child;
    int fd;     /* the connection, on which the server has said its greeting */
    int errors; /* what ssh complains about */
} ImageTunnel;

/* Pure. FAULT_INVALID_ARGUMENT unless @socket is an absolute path of plain characters: the other
 * host's shell sees it. */
gboolean image_tunnel_check(const char *socket, GError **error);
/* Blocks until the server on the other host has greeted, or for half a minute.
 * FAULT_PEER_UNREACHABLE with what ssh said, FAULT_TIMED_OUT, FAULT_CANCELLED. */
gboolean image_tunnel_open(const ImageAddress *address, GCancellable *cancellable,
                           ImageTunnel *ret_tunnel, GError **error);
void image_tunnel_close(ImageTunnel *tunnel);
/* What ssh has complained about so far. Owned; "" if nothing. */
char *image_tunnel_complaint(const ImageTunnel *tunnel);
