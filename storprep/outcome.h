/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a guest is after libvirt reported the end of a migration: asked, not concluded. */
#pragma once

#include "common/hypervisor.h"

typedef enum {
    OUTCOME_RUNNING_HERE,
    OUTCOME_PAUSED_HERE,
    OUTCOME_GONE,    /* not active on this host any more */
    OUTCOME_UNKNOWN, /* libvirt does not say */
} Outcome;

/* Asks libvirt where @uuid is. Blocks. */
Outcome outcome_ask(Hypervisor *hypervisor, const char *uuid);
/* One sentence for people: "the guest keeps running here". Static. */
const char *outcome_sentence(Outcome outcome);
/* What to do when a migration failed with this outcome. Static. */
const char *outcome_remedy(Outcome outcome);

/*
 * Turns the error of a migration of @guest_name into the one for the caller, in place: its cause is
 * followed by where the guest is. FAULT_CANCELLED if @cancelled and the guest runs here as before,
 * FAULT_MIGRATION_FAILED otherwise.
 */
void outcome_explain(Outcome outcome, const char *guest_name, gboolean cancelled, GError **error);
