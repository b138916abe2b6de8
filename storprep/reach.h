/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether another host can be reached on TCP ports, whoever listens there. */
#pragma once

#include <glib.h>

#define REACH_PORTS_MAX 128

typedef enum {
    REACH_OPEN,    /* somebody listens */
    REACH_CLOSED,  /* the host answers that nobody does: nothing in between keeps us off */
    REACH_BLOCKED, /* no answer, or one that forbids it */
} ReachResult;

/* Host access: reach_network is the real one, tests have a fake. Both block, resolve() as long as
 * the name service does. */
typedef struct {
    /* The address of @name, as text; NULL: FAULT_PEER_UNREACHABLE. *ret_loopback: it is this host's
     * loopback. Owned by the caller. */
    char *(*resolve)(const char *name, gboolean *ret_loopback, GError **error);
    /* Sets ret_results[i] for each of @count ports; at most REACH_PORTS_MAX are tried, all at once,
     * for @timeout_msec together. Connections that come about are closed with nothing said. */
    void (*try)(const char *address, const guint16 *ports, gsize count, unsigned timeout_msec,
                ReachResult *ret_results);
} ReachOps;

extern const ReachOps reach_network;
