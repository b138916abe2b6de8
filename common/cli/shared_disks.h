/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which disks both hosts see as one and the same file, proven and not guessed. */
#pragma once

#include "common/cli/survey.h"

/* What the destination has at the paths of the disks that @survey calls provable: ImageIdentity
 * records, none for what it may not have. Changes nothing, so it may be asked beside the checks.
 * New reference; NULL with @error if it cannot be asked. Blocks. */
json_t *shared_disks_look(Peer *destination, const Survey *survey, GCancellable *cancellable,
                          GError **error);

/*
 * For every disk that @survey calls provable and whose path is @there (shared_disks_look()): each
 * host places a probe in the directory and the other one finds it, and both report the same image.
 * Such disks are marked as shared in the survey; all others keep what the source said about them.
 * Fails if a host cannot be asked, or cannot tell in time; leaves no probe, for longer than a lease
 * of half a minute. Blocks.
 */
gboolean shared_disks_prove(Peer *source, Peer *destination, const Survey *survey,
                            const json_t *there, GCancellable *cancellable, GError **error);
