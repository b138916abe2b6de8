/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks and steers a guest that has its bond already and runs nothing of ours: by reading and
 * writing sysfs and procfs through its agent's file commands. */
#pragma once

#include "netprep/bond.h"

/*
 * Like the functions of bond.h that have these names. They take some 30 round trips to the guest
 * and are therefore slower than netprep-guest; a guest that answers slowly is given up on after
 * five times access->agent_seconds in all (FAULT_TIMED_OUT). FAULT_AGENT_FAILED naming the missing
 * commands if its agent may not read files. Block.
 */
GuestReport *guest_files_report(const BondAccess *access, GError **error);
GuestBond *guest_files_use(const BondAccess *access, const char *bond, const char *port,
                           GError **error);
/* Takes the device out of the bond again if it does not become the active port in time. */
gboolean guest_files_join(const BondAccess *access, const char *bond, const char *guest_path,
                          unsigned timeout_seconds, GError **error);
