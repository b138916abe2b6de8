/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The step that copies the disks of a guest that is shut off: there is no QEMU that would do it. */
#pragma once

#include "common/cli/move_step.h"

/*
 * Has the destination serve the targets, the source fill them, and the destination end that and
 * look at them; what was sent is kept in @move for Storage.Migrate. Needs the targets. A failure is
 * undone with their lease. Blocks as long as copying takes.
 */
gboolean send_disks(Move *move, GError **error);
