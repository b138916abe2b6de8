/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's connection: cuts bytes into messages and writes replies. Main loop only, but for the
 * reference count. */
#pragma once

#include <glib.h>

typedef struct VarlinkConnection VarlinkConnection; /* reference-counted */

typedef struct {
    /* One whole message (NUL-terminated). No further one is handed over until
     * varlink_connection_next(). */
    void (*message)(VarlinkConnection *connection, const char *text, void *data);
    /* The connection is closed; its owner drops its reference. */
    void (*closed)(VarlinkConnection *connection, void *data);
} VarlinkConnectionEvents;

/* Takes @fd over and starts reading in the default main context. */
VarlinkConnection *varlink_connection_new(int fd, guint uid, const VarlinkConnectionEvents *events,
                                          void *data);
VarlinkConnection *varlink_connection_ref(VarlinkConnection *connection);
void varlink_connection_unref(VarlinkConnection *connection);

/* The peer's user id, and the @data given to new. */
guint varlink_connection_uid(const VarlinkConnection *connection);
void *varlink_connection_data(const VarlinkConnection *connection);
/* Queues @text and its NUL. Nothing happens on a closed connection; one whose client has not read
 * LIMIT_OUTPUT_BYTES is closed. */
void varlink_connection_send(VarlinkConnection *connection, const char *text);
/* The message handed over last has been answered: go on with the next. */
void varlink_connection_next(VarlinkConnection *connection);
/* Closes after what is queued has been written, or at once if the client does not read. */
void varlink_connection_finish(VarlinkConnection *connection);
void varlink_connection_close(VarlinkConnection *connection);
