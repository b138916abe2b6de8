/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks and steers a guest through netprep-guest, which its agent runs there. */
#pragma once

#include "netprep/bond.h"

#define GUEST_PROGRAM_PATH "/usr/sbin/netprep-guest"

/*
 * Like the functions of bond.h that have these names. *ret_absent is TRUE if the program could not
 * even be started, because it is not there or its agent may not run programs: nothing happened in
 * the guest then, and its files may be tried instead. It is set whether or not they fail. Block.
 */
GuestReport *guest_program_report(const BondAccess *access, gboolean *ret_absent, GError **error);
GuestBond *guest_program_use(const BondAccess *access, const char *bond, const char *port,
                             gboolean *ret_absent, GError **error);
gboolean guest_program_join(const BondAccess *access, const char *bond, const char *guest_path,
                            unsigned timeout_seconds, gboolean *ret_absent, GError **error);
GuestBond *guest_program_create(const BondAccess *access, const char *bond, const BondPlan *plan,
                                gboolean *ret_absent, GError **error);
/* Sets the options of @bond that bond_advise() finds fault with. */
gboolean guest_program_repair(const BondAccess *access, const char *bond, gboolean *ret_absent,
                              GError **error);
