/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of a guest's administrator that run in the guest before and after it is moved or its
 * memory is saved: `netprep-guest hooks`. */
#pragma once

#include "common/config.h"
#include "common/hypervisor.h"

/*
 * Theory of operation. The guest decides what there is to run and as whom (netprep/guest/hooks.h);
 * the host decides whether a failure stops the move ([hooks] guest-failure), since a guest could
 * otherwise keep its host from being emptied by a hook that fails. What the hooks say is the
 * guest's: bounded, without control characters, and in the host's journal, not in errors' causes
 * beyond a line. One call of the agent tells a guest without hooks from one that has some.
 */
typedef enum {
    GUEST_HOOKS_BEFORE_MIGRATION,
    GUEST_HOOKS_AFTER_MIGRATION, /* also where a guest stayed, as its move failed */
    GUEST_HOOKS_BEFORE_HIBERNATION,
    GUEST_HOOKS_AFTER_HIBERNATION,
    GUEST_HOOKS_COUNT
} GuestHooksPhase;

/* "before_migration": also the name of the directory in the guest. Static. */
const char *guest_hooks_phase_name(GuestHooksPhase phase);

/* The reverse; FALSE if @name is none of them. */
gboolean guest_hooks_phase_parse(const char *name, GuestHooksPhase *ret_phase);

typedef struct {
    Hypervisor *hypervisor;
    const char *guest_name; /* for messages */
    const char *guest_uuid;
    const ConfigHooks *config;
    GCancellable *cancellable; /* may be NULL */
} GuestHooks;

/*
 * Runs the hooks of @phase. *ret_count (may be NULL) is how many there were; none if netprep-guest
 * is missing in the guest, or too old to know them, or if no agent answers: then there is nobody to
 * ask, which is no failure. One that fails is FAULT_PROGRAM_FAILED (its name, the guest's words),
 * too late is FAULT_TIMED_OUT; with ignore both are written to the journal and TRUE is returned.
 * FAULT_CANCELLED. Blocks, for the deadline at most and a round trip.
 */
gboolean guest_hooks_run(const GuestHooks *hooks, GuestHooksPhase phase, unsigned *ret_count,
                         GError **error);
