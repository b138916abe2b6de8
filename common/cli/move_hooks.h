/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's own programs around its move, where nothing is unplugged: Detach and Attach see to
 * those of guests with passthrough vNICs. For move.c and move_step.c only. */
#pragma once

#include "common/cli/move_step.h"

/* Has the source run the guest's before_migration hooks. Does nothing if the guest has none, is
 * shut off, or Detach does it. Fails as Network.RunHooks does. Blocks. */
gboolean move_hooks_before(Move *move, GError **error);

/* Has @peer, where the guest is now, run its after_migration hooks, if move_hooks_before() was
 * called or it has such alone. What fails is noted. Blocks. */
void move_hooks_after(Move *move, Peer *peer);
