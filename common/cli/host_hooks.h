/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of this host's administrator that run before and after it is emptied. */
#pragma once

#include <gio/gio.h>

#include "common/config.h"

/*
 * Theory of operation. The programs of a phase lie in /etc/migprep/pre-drain.d (or post-drain.d)
 * and /usr/lib/migprep/pre-drain.d; a name in /etc hides the same one in /usr/lib, also as a link
 * to /dev/null. They run one after the other in the order of their names, which consist of letters,
 * digits, '_' and '-' (others, such as saved copies, are passed over, and so is what is not
 * executable). Since they run as whoever drains, which is root, program and directory have to
 * belong to root or to that user, and nobody else may write to them.
 *
 * Their standard input is empty; what they print is in the journal after their end
 * (MIGPREP_HOOK=NAME). Environment: PATH, LANG, and
 *   MIGPREP_PHASE         pre-drain or post-drain
 *   MIGPREP_HOST          this host's name
 *   MIGPREP_REASON        why it is emptied; may be empty
 *   MIGPREP_DESTINATIONS  names of hosts, separated by spaces; empty: not known yet
 *   MIGPREP_RESULT        of a post-drain: drained, partly, blocked or cancelled; else empty
 */
typedef enum {
    HOST_HOOKS_PRE_DRAIN,
    HOST_HOOKS_POST_DRAIN,
} HostHooksPhase;

/* What they are told; texts may be NULL. */
typedef struct {
    const char *root; /* "", or a directory that stands for "/" */
    const ConfigHooks *config;
    const char *reason;
    const char *destinations;
    const char *result;
    /* Gets each line that @hook prints (NULL: the journal gets it). */
    void (*tell)(const char *hook, const char *line, void *data);
    void *data;
} HostHooks;

/*
 * Runs all of @phase, each with the deadline of the configuration. One fails if it ends with
 * another status than 0, too late, or is not safe to run. Then either the rest is not run and this
 * returns FALSE (FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT, FAULT_PERMISSION_DENIED naming it), or,
 * if the configuration says ignore, it is written to the journal and the next one runs.
 * FAULT_CANCELLED always ends it: the running one is killed. Blocks.
 */
gboolean host_hooks_run(const HostHooks *hooks, HostHooksPhase phase, GCancellable *cancellable,
                        GError **error);
