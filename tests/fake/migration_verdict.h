/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must be true of two hosts after a migration, whatever happened on the way. */
#pragma once

#include "fake/migration_world.h"

/*
 * To be asked when all deadlines have passed and nothing changes any more. Fails the test unless
 *  - exactly one host runs the guest;
 *  - the guest has a VF that is active in its bond, or a lease of that host is degraded and says
 *    why (not if @whole: then it has one, and nothing else is held);
 *  - if the guest did as it was asked (@willing) it has a VF as long as one is to be had, unless
 * its own lost its link when it was in the guest already;
 *  - no VF is leaked: one in no guest is held by such a lease, or free and as new;
 *  - no two VFs of a PF carry one MAC, and no PF claims the MAC of a VF;
 *  - nothing foreign was touched, and the guest's configuration names no VF of the other host.
 */
void migration_verdict_check(const MigrationWorld *world, gboolean whole, gboolean willing);
