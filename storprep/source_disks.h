/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The images that a guest leaves behind when it moves with copies of them. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"

typedef struct SourceDisks SourceDisks;

/* Notes which files @paths are now, as far as they lie within @directories. Blocks on them. */
SourceDisks *source_disks_new(const char *const *paths, const char *const *directories);
void source_disks_free(SourceDisks *disks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SourceDisks, source_disks_free)

/*
 * Removes those that are still the same files and that no guest defined here uses, by name or by
 * another. Call it when the guest runs elsewhere for certain. What is kept is logged with the
 * reason, and never a failure: the move is over. Returns the paths removed, a new array. Blocks.
 */
json_t *source_disks_remove(const SourceDisks *disks, Hypervisor *hypervisor);
