/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What netprepd counts. */
#pragma once

#include "netprep/network_host.h"

/* OpenMetrics text: what common/daemon_metrics.h has, and families functions (by state) and events
 * (by kind, as Watch tells them). What cannot be read is left out. @failures: those of calls. Owned
 * by the caller. Blocks. */
char *network_metrics_text(const NetworkHost *host, Tally *failures);
