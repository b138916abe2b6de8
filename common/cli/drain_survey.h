/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks a host about its guests and others about their room, for the plan of a drain. */
#pragma once

#include "common/cli/drain_plan.h"

/* Who is asked. All borrowed. */
typedef struct {
    Peer *source;
    const GPtrArray *destinations; /* of Peer * */
    char *const *only;             /* UUIDs of the only guests that are asked about; NULL: all */
    GCancellable *cancellable;     /* may be NULL */
} DrainQuestion;

/*
 * The plan for all guests that run on the source, by what their checks and all destinations say. A
 * destination that cannot be asked takes no guest. Fails only if the source cannot be asked, or
 * with FAULT_CANCELLED. Changes nothing. Blocks for as long as the checks of all guests take,
 * twelve of them at a time.
 */
DrainPlan *drain_survey(const DrainQuestion *question, const DrainRules *rules, GError **error);
