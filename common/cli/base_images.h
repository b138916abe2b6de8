/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the targets of an incremental move must lie on, proven on both hosts. */
#pragma once

#include "common/cli/peer.h"
#include "common/cli/survey.h"

/*
 * Adds to each of @targets (for CreateTargets) the chain below its disk in @survey, with the size
 * and digest that @source reads of the whole images: the destination compares its own. Without that
 * the guest would miss there what only lies in the base. Blocks as long as reading takes;
 * @cancellable ends it.
 */
gboolean base_images_add(Peer *source, const Survey *survey, json_t *targets,
                         GCancellable *cancellable, GError **error);
