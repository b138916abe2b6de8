/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A lease on one host, kept alive for as long as this command needs it. */
#pragma once

#include "common/cli/peer.h"

typedef struct Hold Hold;

/* Nothing is held yet. @what names it for people: "virtual functions reserved". @lease_seconds is
 * how long the host keeps it should this command die. @peer is borrowed. */
Hold *hold_new(Peer *peer, Service service, const char *what, unsigned lease_seconds);
/* Stops renewing; the lease itself stays until its deadline or hold_release(). */
void hold_free(Hold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hold, hold_free)

/* What is held, for messages, on which host, and by which token. Borrowed. */
const char *hold_what(const Hold *hold);
Peer *hold_peer(const Hold *hold);
const char *hold_token(const Hold *hold); /* unique; makes asking for the lease again harmless */
/* {lease, generation} as every call on the lease takes them; new reference. */
json_t *hold_key(const Hold *hold);
gboolean hold_is_held(const Hold *hold);

/* Takes over the daemon's Lease object and renews it every third of its time in a thread. */
gboolean hold_keep(Hold *hold, const json_t *lease, GError **error);

/* For when asking for the lease failed: looks whether the daemon made it all the same (the answer
 * may have been lost) and keeps it if so. Fails only if the daemon cannot be asked. */
gboolean hold_recover(Hold *hold, GError **error);

/*
 * Gives the lease back and waits for the end of that. A lease that is gone counts as given back;
 * one that is busy is asked for again for @lease_seconds. *ret_outcome: "returned" or "freed" for
 * functions, "kept" or "removed" for files, "gone".
 */
gboolean hold_release(Hold *hold, const char **ret_outcome, GError **error);
