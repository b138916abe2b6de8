/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serves Varlink interfaces on UNIX stream sockets. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

#include "common/tally.h"
#include "common/varlink_access.h"

/*
 * Theory of operation. Sockets are read and written on the main loop only. A message is complete at
 * its NUL; the peer's credentials (SO_PEERCRED at accept) are judged before its first byte is
 * parsed. Then the parameters are checked against the interface description, and the method runs
 * in a worker thread (LIMIT_WORKERS), so it may block for as long as a local query takes; longer
 * work is a Job. What is known without waiting needs no worker (VarlinkBrief), and is answered
 * while all are busy. Calls of one connection are answered in order, one at a time; those of users
 * who have many wait while others have few. A client that does not read is cut off at
 * LIMIT_OUTPUT_BYTES; what is no request at all, or larger or deeper than limits.h allows, ends the
 * connection. org.varlink.service is built in.
 */
typedef struct VarlinkServer VarlinkServer;
typedef struct VarlinkCall VarlinkCall; /* one method call; reference-counted, thread-safe */

typedef struct {
    const char *name; /* "Reserve" */
    /* Ends the call exactly once (reply, fail) or keeps a reference and does so later. @parameters
     * is a valid object, borrowed. */
    void (*run)(VarlinkCall *call, json_t *parameters, void *context);
} VarlinkMethod;

/* Of a method that only looks: tried first, on the main loop. */
typedef struct {
    const char *name;
    /* Ends the call if that waits for nothing and there is little to say (LIMIT_BRIEF_ENTRIES);
     * else FALSE, and the method runs in a worker. */
    gboolean (*run)(VarlinkCall *call, json_t *parameters, void *context);
} VarlinkBrief;

/* @product and @version are for org.varlink.service.GetInfo. @group may also call, besides root;
 * NULL or unknown: the server's own uid and root only. Serves on the thread-default main context of
 * the caller, which is also the only thread that may call the other functions of the server. */
VarlinkServer *varlink_server_new(const char *product, const char *version, const char *group);
/* @methods, borrowed, ends with {0} and must cover the description's methods exactly, else
 * FAULT_INTERNAL. @context is for its handlers, which may run until varlink_server_free(). */
gboolean varlink_server_add_interface(VarlinkServer *server, const char *description,
                                      const VarlinkMethod *methods, void *context, GError **error);
/* @brief, borrowed, ends with {0}: of methods of the interface that was added last, with its
 * context. */
void varlink_server_add_brief(VarlinkServer *server, const VarlinkBrief *brief);
/* The members of @group may call too, but only methods of varlink_access_is_look(); NULL or
 * unknown: nobody more. */
void varlink_server_admit_monitors(VarlinkServer *server, const char *group);
/* Whoever comes in by this door may do @most, if that much is theirs (VARLINK_LEVEL_LOOK: also root
 * can only look). Listens on a new socket at @path (mode 0660 for the group that @most is for,
 * replaces a dead one, FAULT_INVALID_ARGUMENT if the path is somebody's) or an inherited
 * descriptor, which is taken over. */
gboolean varlink_server_listen(VarlinkServer *server, const char *path, VarlinkLevel most,
                               GError **error);
gboolean varlink_server_listen_fd(VarlinkServer *server, int fd, VarlinkLevel most, GError **error);
/* Stops accepting, drops connections, waits for running methods. */
void varlink_server_free(VarlinkServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarlinkServer, varlink_server_free)

VarlinkCall *varlink_call_ref(VarlinkCall *call);
void varlink_call_unref(VarlinkCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarlinkCall, varlink_call_unref)
/* Whether the caller asked for progress (`more`). */
gboolean varlink_call_wants_more(const VarlinkCall *call);
/* The peer, as the kernel noted it when it connected; process 0: not known. Any thread. */
guint varlink_call_uid(const VarlinkCall *call);
int varlink_call_process(const VarlinkCall *call);
/* Whether the peer may do more than look. Any thread. */
gboolean varlink_call_may_change(const VarlinkCall *call);
/* How calls of its interface failed since the start, by method and error. Borrowed. Any thread. */
Tally *varlink_call_failures(const VarlinkCall *call);
/* Whether the peer went away: replies are dropped. Any thread. */
gboolean varlink_call_is_closed(const VarlinkCall *call);
/* Final reply; @parameters is stolen (NULL: {}). Checked against the description: a mismatch is our
 * bug, logged, and answered with Internal. Any thread. */
void varlink_call_reply(VarlinkCall *call, json_t *parameters);
/* A reply with continues=true; only when the caller wants more, else ignored. @parameters is
 * stolen. */
void varlink_call_notify(VarlinkCall *call, json_t *parameters);
/* Final error: INTERFACE.CodeName {object, cause, remedy}, or Internal if the interface declares no
 * such code; FAULT_PERMISSION_DENIED becomes org.varlink.service.PermissionDenied, and parameters
 * that the description forbids never get here. @error is stolen and logged. Any thread. */
void varlink_call_fail(VarlinkCall *call, GError *error);
