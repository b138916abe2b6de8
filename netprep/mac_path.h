/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leads frames for a guest's MAC to where the guest listens: its VirtIO vNIC or its VF. */
#pragma once

#include "netprep/network_lease.h"

/*
 * Theory of operation. A guest's VirtIO vNIC and its VF share a MAC, and often a card: the vNIC's
 * bridge has the VF's PF as a port, or a VLAN or bond above it. Two tables then decide where frames
 * go. The bridge may have learned the MAC on the PF's side, as the card loops back what the VF
 * sends, or as the guest was elsewhere: frames for the guest then leave the host again until the
 * guest says something. And the card's switch may know the MAC on no VF any more and not think of
 * the PF. So while the guest is on VirtIO the PF gets an entry for the MAC and the bridge forgets
 * what it learned. The kernel's net_failover document takes the entry away before the VF gets the
 * MAC; here it stays until the guest's bond uses the VF, since a card that gives frames to both
 * loses none while the VF's driver is being opened (measured: 0 instead of 30-40 ms).
 *
 * The MAC is the one of the VF, but only where libvirt gave it to a VirtIO vNIC of the same guest:
 * a guest may choose any, the gateway's too. An entry that was there before is not ours and stays;
 * ours is recorded in the lease's asset before it is made ("macPath"), so that a restart knows it.
 * Where a vNIC's bridge does not lead to the VF's PF there is nothing to do.
 */

/*
 * For all VFs of @lease: the PF takes frames for their MACs, and the bridge forgets that it learned
 * them there. A repeat makes good what is missing, e.g. what was learned meanwhile. A card that
 * takes no entry is warned about and no failure: the path that it serves already was proven
 * otherwise. Fails if libvirt does not say what the guest has, or with FAULT_STORE_FAILED if it
 * cannot be recorded. Blocks.
 */
gboolean mac_path_to_virtio(const NetworkHost *host, const Lease *lease, GError **error);

/* The same for those VFs of @lease that the guest did not get, where plugging them failed; what
 * fails is logged, and there is nothing to do if the guest is gone. Blocks. */
void mac_path_stay_on_virtio(const NetworkHost *host, const Lease *lease);

/*
 * For another VF on PF @device that takes the place of @asset: an entry of ours that is on that PF
 * is recorded in @detail, the new asset's to be; one on another PF is taken away. Fails if that
 * keeps it. Blocks.
 */
gboolean mac_path_hand_down(const NetworkHost *host, const Lease *lease, LeaseAsset *asset,
                            const char *device, json_t *detail, GError **error);

/*
 * The undo, when the guest has its VFs or is gone: takes away what is recorded as ours. Fails,
 * naming the device, if the card keeps its entry, since it then claims a MAC that is its VF's.
 * Blocks.
 */
gboolean mac_path_to_function(const NetworkHost *host, const Lease *lease, GError **error);
