/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a vNIC is written for libvirt on the host where it is plugged. */
#pragma once

#include "common/hypervisor_network.h"
#include "netprep/vnic.h"

/* For the running guest: a plain device on @function, whose MAC is the guest's affair; but the
 * halves of a team find each other by their MAC, so libvirt sets that, and with it the VLAN.
 * FAULT_INVALID_ARGUMENT. Owned by the caller. Pure. */
char *vnic_device_live(const Vnic *vnic, const char *function, GError **error);

/*
 * For its next start: as the administrator wrote it (vnic->configuration, not NULL). A libvirt
 * network of VFs chooses a VF then; where @networks (GPtrArray of HypervisorNetwork *) has none of
 * that name, the guest gets @function. FAULT_INVALID_ARGUMENT. Owned by the caller. Pure.
 */
char *vnic_device_config(const Vnic *vnic, const char *function, const GPtrArray *networks,
                         GError **error);
