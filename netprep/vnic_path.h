/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How each vNIC of a guest travels to another host, and why so. */
#pragma once

#include "netprep/bond.h"

/*
 * BOND: the guest's bond uses its VirtIO port while the VF is unplugged here and another is plugged
 * there. TEAMING: the same with the kernel's net_failover in place of a bond: it needs no telling,
 * but both halves must have one MAC, so the VF comes with an administrative one. NATIVE: the VF's
 * VFIO driver moves the device's state and libvirt's network gives it a VF there, so it is left
 * alone; only where the administrator allows it, since both hosts need the same NIC and firmware,
 * which neither can see. VIRTIO_ONLY: QEMU moves it.
 */

/* What @device, on VF @function, can count on before its guest is asked: sets @vnic's path, its
 * reason, teaming and, for a team, MAC. vnic->configuration is set already. Pure. */
void vnic_path_choose(const NetworkHost *host, const GuestView *view,
                      const DomainPassthrough *device, const Function *function, Vnic *vnic);

/* Whether the vNIC is unplugged for the journey. */
gboolean vnic_path_unplugs(const Vnic *vnic);

/* Whether the guest can go that way now: FAULT_BOND_UNFIT with reason and remedy. Sets the vNIC's
 * bond (the
 * device above both halves of a team is one, too) and backup. Pure. */
gboolean vnic_path_prove(GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error);

/* Waits until the guest uses the VF again, as bond_join() does. Blocks. */
gboolean vnic_path_join(const BondAccess *access, const Vnic *vnic, unsigned timeout_seconds,
                        GError **error);

/* The VirtIO vNICs of @domain as an array of the type VirtioNic. */
json_t *vnic_path_virtio_to_json(const DomainXml *domain);
