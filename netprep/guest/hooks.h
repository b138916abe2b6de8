/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of the guest's administrator that run when the guest is moved or its memory saved. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "netprep/guest/failure.h"

/*
 * Theory of operation. The hooks of a phase are the executables in
 * /etc/netprep-guest/hooks.d/PHASE, run one after the other in the order of their names, which
 * consist of letters, digits, '_', '-' and '.' ('.' only before "root"). The agent that starts us
 * is root, so a hook is run as nobody unless it is marked: its name ends in ".root" and it belongs
 * to root. Nobody but root may be able to write to the directory, or to a marked hook: else it is
 * not run, and counts as failed.
 *
 * A hook gets an empty standard input, PATH, LC_ALL=C and NETPREP_PHASE, and a process group of
 * its own, which is killed at the deadline of all of them together. What it prints is passed on, as
 * far as it fits. The first failure stops the rest before a move or a hibernation; after it, all
 * are run, since they wake up what the others sent to sleep. Hooks may be run twice for one move,
 * if a host had to begin again, and after a move that failed.
 */
typedef enum {
    HOOK_PHASE_BEFORE_MIGRATION,
    HOOK_PHASE_AFTER_MIGRATION,
    HOOK_PHASE_BEFORE_HIBERNATION,
    HOOK_PHASE_AFTER_HIBERNATION,
    HOOK_PHASE_COUNT
} HookPhase;

/* False if @text is none of "before_migration", "after_migration" and so on. */
bool hook_phase_parse(const char *text, HookPhase *ret_phase);

/* The names of the phases that have hooks, a list owned by the caller. */
json_t *hooks_list(const char *root);

/* Runs all of @phase below @root ("" or where the guest's files are) within @timeout_seconds:
 * {phase, hooks: [{name, user, failure, output}]}, where failure is "" or says why. Owned by the
 * caller. NULL with @failure only if the directory cannot be read. Blocks. */
json_t *hooks_run(const char *root, HookPhase phase, unsigned timeout_seconds, Failure *failure);
