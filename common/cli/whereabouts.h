/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out which host runs a guest after a migration that did not end well. */
#pragma once

#include "common/cli/peer.h"

typedef enum {
    WHEREABOUTS_SOURCE,      /* there, and no migration is going on */
    WHEREABOUTS_DESTINATION, /* it runs there */
    WHEREABOUTS_UNKNOWN,     /* neither could be established: nothing may be undone */
} Whereabouts;

/* Where a guest is, as both hosts tell it just now. Static texts. */
typedef struct {
    const char *host;  /* "source" | "destination" | "both" | "unknown" */
    const char *state; /* there: "running" | "paused" | "migrating" | "shutoff"; NULL: not known */
} GuestPlace;

/* Asks both hosts once for @guest (name or UUID): where it is active, else where it is defined.
 * "both": it is active on both, as in post-copy, or only defined on both. "unknown": none has it,
 * or one that might have it does not answer. Blocks. */
GuestPlace whereabouts_tell(Peer *source, Peer *destination, const char *guest);

/* Of a guest that was moved while it was shut off: as long as the source has its definition, it is
 * the source's. Asks for at most @patience_seconds for an answer; blocks. */
Whereabouts whereabouts_find_definition(Peer *source, Peer *destination, const char *uuid,
                                        unsigned patience_seconds);

/*
 * Asks both hosts, since what a migration call returned proves nothing. Goes on asking while the
 * source says that the migration is still running, else for at most @patience_seconds; blocks.
 */
Whereabouts whereabouts_find(Peer *source, Peer *destination, const char *uuid,
                             unsigned patience_seconds);
