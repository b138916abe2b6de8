/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the checks say before a move is begun, and whether that stops it. */
#pragma once

#include "common/cli/move.h"

struct Gate {
    Peer *source, *destination;
    const char *guest;
    const char *const *forced; /* ids of checks whose failure does not count; NULL: none */
    const json_t *disk_paths;  /* as in CheckPlan */
    gboolean set_up_bond;      /* what is wrong with the guest's bond will be mended */
    gboolean login_known;      /* as in CheckPlan */
    GCancellable *cancellable; /* once cancelled, nothing is asked any more, and all may pass */
};

/* FAULT_INVALID_ARGUMENT if one of @ids (may be NULL) names no check, or one that nobody may
 * override, since the guest would lose data. */
gboolean gate_check_forced(const char *const *ids, GError **error);

/* The checks of `migprep check`, which are run beside what the caller does meanwhile. */
typedef struct GateInquiry GateInquiry;

/* Begins; what @gate points to must outlive the inquiry. Changes nothing on any host. For
 * gate_inquiry_free(). */
GateInquiry *gate_inquire(const Gate *gate);
/* Waits for the answers. */
void gate_inquiry_free(GateInquiry *inquiry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GateInquiry, gate_inquiry_free)

/*
 * Waits for the answers and tells @observer, a note each, of warnings, of what could not be checked
 * (once for all checks that one host leaves open for one reason) and of what was overridden. FALSE
 * if the move must not be begun: @error is the first blocker, by the code that the catalogue has
 * for it, or says which daemon did not answer; further blockers are notes. To be called once.
 * Blocks as check_survey_guest() does.
 */
gboolean gate_pass(GateInquiry *inquiry, const MoveObserver *observer, void *data, GError **error);
