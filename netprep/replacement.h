/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Other VFs in the place of those that a guest was to get and that are lost. */
#pragma once

#include "netprep/network_lease.h"

/*
 * Theory of operation. A held VF can be taken all the same: another guest is started with it, the
 * host bridges it, sriov_numvfs changes, its PF loses its link. Then the guest gets another one of
 * the same physical network, chosen by the rule of Reserve. The lease's asset is exchanged in one
 * step of the database, so that at no time it holds two for one vNIC, and before the new VF is
 * touched. The old one is reset and free if it is nobody else's, which only a lost link leaves it;
 * else it is let go as it is. What the PF claimed for the guest goes with it.
 */

/*
 * @lease, whose guest runs here, with another VF for each lost one for which there is one; with the
 * state it has in @lease. Each exchange is announced. What could not be exchanged stays and says by
 * itself what is wrong with it when it is plugged. Owned by the caller. Blocks.
 */
Lease *replacement_make(const NetworkHost *host, const Lease *lease);
