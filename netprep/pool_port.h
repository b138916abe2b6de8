/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps libvirt's pools of VFs from handing out those that are held or plugged by us. */
#pragma once

#include "netprep/network_lease.h"

/*
 * Theory of operation. A libvirt network with <forward mode='hostdev'> gives a starting guest a VF
 * that has no port in it, whatever leases say. So each VF of a lease gets a port there, owned by
 * the lease's guest, and it keeps that while it is in the guest as a plain device, which libvirt
 * does not count either. The port's UUID is made from network, guest and VF: that proves it ours
 * without any record, after a restart too. Where libvirt knows no ports, or the network's list does
 * not have the VF, there is nothing to keep it from.
 */

/* VFs that have a port of anybody else, as a set of PCI addresses: free as they may look, libvirt
 * has given them away. Blocks. */
GHashTable *pool_ports_taken(const NetworkHost *host, GError **error);

/* Makes the ports of all VFs of @lease that have none. FAULT_FUNCTION_BUSY if libvirt gave one away
 * meanwhile; what else libvirt refuses is only logged. Blocks. */
gboolean pool_ports_hold(const NetworkHost *host, const Lease *lease, GError **error);

/* Deletes those of ours that no lease and no running guest needs any more. To be called now and
 * then. Blocks. */
void pool_ports_sweep(const NetworkHost *host);
