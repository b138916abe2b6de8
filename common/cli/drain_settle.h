/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits for what an earlier drain, or another move, left unfinished on a host. */
#pragma once

#include "common/cli/drain_survey.h"

typedef struct {
    unsigned patience_seconds; /* for leases that are to undo themselves, once nothing migrates */
    unsigned pause_msec;       /* between two looks */
    void (*tell)(const char *sentence, void *data); /* once, if there is something to wait for */
    void *data;
} DrainSettling;

/*
 * Returns once no guest is migrated away from the source any more, and none of its guests has a
 * lease that an abandoned move left, here or on a destination: such a guest is neither here nor
 * there, and what it needs is held by itself. A migration is waited for as long as it takes, leases
 * for some time: then, or if nobody can be asked, planning has to see. Fails only with
 * FAULT_CANCELLED. Blocks.
 */
gboolean drain_settle(const DrainQuestion *question, const DrainSettling *settling, GError **error);
