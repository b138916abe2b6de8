/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathers what helps to understand a fault of this host: for bug reports, without secrets. */
#pragma once

#include "common/cli/peer.h"

/* Where it looks. */
typedef struct {
    Peer *peer;              /* this host's daemons */
    const char *config_path; /* may be missing */
} Doctor;

/*
 * Writes one file for each thing into @directory, an empty one: what the daemons say, what the
 * system's programs say of versions, units and the journal, and the configuration. Everything has
 * passed redaction_of(). What could not be had leaves the reason in its place, so this fails
 * (FAULT_STORE_FAILED) only if a file cannot be written. Changes nothing else. Blocks.
 */
gboolean doctor_gather(const Doctor *doctor, const char *directory, GError **error);
