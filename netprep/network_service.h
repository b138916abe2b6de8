/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* io.migprep.Network: reads requests, calls the room that does the work, replies. */
#pragma once

#include "netprep/network_host.h"

/* Adds the interface to @server; @host must outlive it. FAULT_INVALID_ARGUMENT if the description
 * and the handlers do not fit, which is a bug. */
gboolean network_service_add(VarlinkServer *server, NetworkHost *host, GError **error);
