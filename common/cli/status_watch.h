/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `migprep status --watch`: what becomes of a host's leases, told as it happens. */
#pragma once

#include "common/cli/exit_status.h"
#include "common/cli/peer.h"

/* Prints each of netprepd's events as a line of text, or of JSON with @json, beginning with the
 * leases that are degraded. Blocks until interrupted (EXIT_STATUS_CANCELLED), until nobody reads
 * what it prints (EXIT_STATUS_OK), or until the daemon goes, whose error it prints. */
int status_watch(Peer *peer, gboolean json);
