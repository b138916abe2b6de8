/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives back what a lease holds: to the guest if it is here, else to the host. */
#pragma once

#include "netprep/function_inventory.h"
#include "netprep/network_lease.h"

/*
 * Makes every VF of a lease whose guest is not here free: proves that nobody uses it any more,
 * resets its settings if they may have been changed, and puts it back into the configuration of a
 * guest that was only shut off. Then the lease is removed. What is not given back yet stays held,
 * with the lease in state "degraded" and the reason: FAULT_FUNCTION_BUSY or what the driver
 * refuses. A repeat goes on from there. @inventory: a survey of just now, for those who release
 * many; NULL: one is made. Blocks.
 */
gboolean release_functions(const NetworkHost *host, const Lease *lease,
                           const FunctionInventory *inventory, GError **error);

/* Starts the job behind Release, whose result is {outcome}. FAULT_LEASE_NOT_FOUND,
 * FAULT_STALE_GENERATION; the job itself fails with FAULT_GUEST_BUSY while the guest is on its
 * way. Blocks briefly. */
Job *release_start(const NetworkHost *host, const char *lease, guint64 generation, GError **error);
