/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's connection: its bytes in and out, one request at a time. */
#pragma once

#include <gio/gio.h>

#include "common/varlink_access.h"

typedef struct VarlinkConnection VarlinkConnection; /* reference-counted */

typedef struct {
    /* A message came and none before it is unanswered. FALSE: it is none, close the connection. */
    gboolean (*message)(VarlinkConnection *connection, const char *text, gsize length, void *data);
    /* Last event of the connection: it is closed. */
    void (*closed)(VarlinkConnection *connection, void *data);
} VarlinkConnectionEvents;

/* Takes @fd over and serves it on the thread-default main context, where both @events run. */
VarlinkConnection *varlink_connection_new(int fd, guint uid, VarlinkLevel level,
                                          const VarlinkConnectionEvents *events, void *data);
VarlinkConnection *varlink_connection_ref(VarlinkConnection *connection);
void varlink_connection_unref(VarlinkConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarlinkConnection, varlink_connection_unref)

/* As given to new. */
guint varlink_connection_uid(const VarlinkConnection *connection);
/* The process that connected; 0: not known. */
int varlink_connection_process(const VarlinkConnection *connection);
VarlinkLevel varlink_connection_level(const VarlinkConnection *connection);

/* Queues @text (stolen, from malloc(); NULL: nothing) and its NUL. With @final the next message may
 * come. Dropped if the peer is gone; beyond LIMIT_OUTPUT_BYTES the connection is closed. Any
 * thread; never blocks. */
void varlink_connection_send(VarlinkConnection *connection, char *text, gboolean final);
/* Whether nobody is there to read any more. Any thread. */
gboolean varlink_connection_is_closed(VarlinkConnection *connection);

/* Main loop only: reads nothing more and closes once everything queued is sent; or closes at once.
 */
void varlink_connection_finish(VarlinkConnection *connection);
void varlink_connection_close(VarlinkConnection *connection);
