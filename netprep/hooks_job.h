/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RunHooks: a guest's own programs, for those who do more with a guest than Detach and Attach. */
#pragma once

#include "common/guest_hooks.h"
#include "netprep/network_host.h"

/* Starts the job; its result is {count}. @guest is a name or UUID. FAULT_GUEST_NOT_FOUND,
 * FAULT_GUEST_BUSY (another job); the job fails as guest_hooks_run(). */
Job *hooks_job_start(const NetworkHost *host, const char *guest, GuestHooksPhase phase,
                     GError **error);
