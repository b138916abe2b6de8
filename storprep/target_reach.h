/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the directories of targets can be touched: who touches a file of a server that is gone
 * waits for it, however long. */
#pragma once

#include "common/lease.h"
#include "storprep/storage_pulse.h"

typedef struct {
    StoragePulse *pulse;
    const char *mount_info; /* NULL: this process's own */
} TargetReach;

/* Whether the servers of all its directories answer; TRUE where no server is needed. The errors of
 * storage_pulse_ask(). Blocks for STORAGE_PULSE_SECONDS at most, for each server. */
gboolean target_reach_check(const TargetReach *reach, const Lease *lease, GError **error);
/* Takes those of @leases out that are not within reach. Blocks likewise. */
void target_reach_filter(const TargetReach *reach, GPtrArray *leases);
