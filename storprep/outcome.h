/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a guest is after libvirt reported the end of a migration: asked, not concluded. */
#pragma once

#include "common/fault.h"
#include "common/hypervisor.h"

typedef enum {
    OUTCOME_RUNNING_HERE,
    OUTCOME_PAUSED_HERE,
    OUTCOME_SHUT_OFF_HERE, /* or crashed */
    OUTCOME_GONE,          /* this host does not know it any more */
    OUTCOME_SPLIT,         /* paused here, with memory on both hosts: post-copy broke */
    OUTCOME_UNKNOWN,       /* libvirt does not say */
} Outcome;

/* Asks libvirt where @uuid is. Blocks. */
Outcome outcome_ask(Hypervisor *hypervisor, const char *uuid);
/* One sentence for people: "the guest keeps running here". Static. */
const char *outcome_sentence(Outcome outcome);
/* What to do when a migration failed with this outcome. Static. */
const char *outcome_remedy(Outcome outcome);

/* What a migration was about. */
typedef struct {
    const char *guest_name;
    Outcome home;   /* the outcome that leaves all as it was */
    FaultCode code; /* of a failure that does: FAULT_CANCELLED, FAULT_TIMED_OUT, ... */
} OutcomeSubject;

/* Turns the error of a migration into the one for the caller, in place: its cause is followed by
 * where the guest is. FAULT_MIGRATION_FAILED unless all is as it was. */
void outcome_explain(Outcome outcome, const OutcomeSubject *subject, GError **error);
