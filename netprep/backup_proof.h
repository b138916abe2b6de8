/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves that a guest's VirtIO vNIC carries its traffic before the passthrough vNIC is pulled. */
#pragma once

#include "netprep/bond.h"
#include "netprep/guest_neighbours.h"

/*
 * Theory of operation. Carrier proves nothing: VirtIO has it always. Two things are proven instead,
 * by ARP, from the host and without anything in the guest. Before the traffic moves: behind the
 * vNIC's bridge somebody answers with whom the guest lately spoke; so the bridge leads to the
 * guest's network. After it has moved: the guest answers through the vNIC's tap device, which takes
 * both directions and the bond. Where there is no IPv4 address to ask for, hearing the guest on the
 * tap must do, and if it has nothing to say there is nothing to lose.
 */
typedef struct {
    char *bridge; /* NULL: not a Linux bridge, or one that filters VLANs: it cannot be asked from */
    char *tap;    /* NULL: the host does not see this vNIC's frames */
    char *mac;    /* of the bond; NULL: not told */
    GuestNeighbours *neighbours;
} BackupProof;

void backup_proof_free(BackupProof *proof);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BackupProof, backup_proof_free)

/* What the proof of @vnic's backup takes, from what the guest said and from sysfs. Blocks briefly.
 */
BackupProof *backup_proof_new(const NetworkHost *host, const GuestNeighbourhood *neighbourhood,
                              const GuestReport *report, const DomainXml *domain, const Vnic *vnic);

/* To be called before and after the traffic moves. FAULT_BOND_UNFIT with what did not answer.
 * Block, for up to two seconds. */
gboolean backup_proof_check_uplink(const BackupProof *proof, const NetworkHost *host,
                                   const Vnic *vnic, GCancellable *cancellable, GError **error);
gboolean backup_proof_check_guest(const BackupProof *proof, const NetworkHost *host,
                                  const Vnic *vnic, GCancellable *cancellable, GError **error);
