/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows a fault of storprepd: a new process, and the audits of what it makes of its host. */
#pragma once

#include "fake/crash_tour.h"
#include "fake/storage_process.h"

/*
 * Restarts the daemon, which @play may strike once more, and lets it find its rest: then leases
 * tell the truth about the host. All deadlines pass: then nothing of its own is left.
 */
void storage_recovery_run(StorageProcess *process, const CrashPlay *play);
