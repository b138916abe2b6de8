/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One job at a time may change a guest; this is how others queue behind it. */
#pragma once

#include "netprep/network_host.h"

/*
 * Runs @run as a job on the guest with @uuid, after whatever job is on it now, and waits for its
 * end. @data stays the caller's. Jobs call it for work on a guest, being on a lease themselves.
 * Gives up with FAULT_GUEST_BUSY if others keep coming first. Returns the job's result. Blocks.
 */
json_t *guest_turn_run(const NetworkHost *host, const char *kind, const char *uuid, JobRun run,
                       void *data, GError **error);
