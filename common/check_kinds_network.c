/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the part of the catalogue that is about networks. Whoever adds a line adds a test where the
 * check holds and one where it is broken; tests/check-catalogue looks for both. */
#include "common/check_kinds.h"

/* clang-format off */
static const CheckKind kinds[] = {
    { "network.networks-there", "networks are there",
      "Each libvirt network of the guest is active on the destination.",
      BLOCKER, AT_DESTINATION, NETPREPD, "virsh net-start",
      RHV, .invalidated_by = HOST_NETWORK,
      .fix = "virsh net-start NETWORK" },
    { "network.bridges-there", "bridges are there",
      "Each bridge of the guest exists on the destination and is up.",
      BLOCKER, AT_DESTINATION, NETPREPD, "ip link set BRIDGE up",
      RHEL, .invalidated_by = HOST_NETWORK,
      .fix = "ip link set BRIDGE up" },
    { "network.functions-free", "enough free VFs",
      "As many VFs are free on each of the guest's physical networks as it has there, on ports "
      "with "
      "a link.",
      BLOCKER, AT_DESTINATION, NETPREPD, "migprep status",
      RHV_VF, .invalidated_by = HOST_LOAD, .fault = FAULT_NO_FREE_FUNCTION },
    { "network.functions-settings-supported", "VF settings supported",
      "The destination's driver knows each setting that the guest's VF has.",
      WARNING, AT_DESTINATION, NETPREPD, "use cards of the same kind",
      VFIO, .invalidated_by = HOST_SOFTWARE },
    { "network.backup-present", "VirtIO NIC in the bond",
      "Each VF of the guest is in a bond with a VirtIO NIC that has a link.",
      BLOCKER, AT_SOURCE, NETPREPD, "migprep setup-bond GUEST",
      RHV_VF, .invalidated_by = GUEST_NETWORK, .fault = FAULT_BOND_UNFIT },
    { "network.backup-unfiltered", "VirtIO NIC unfiltered",
      "No network filter drops what the bond sends through the VirtIO NIC.",
      BLOCKER, AT_SOURCE, NETPREPD, "virsh edit GUEST: remove <filterref>",
      RHV_VF, .invalidated_by = GUEST_CONFIG, .fault = FAULT_BOND_UNFIT },
    { "network.bond-mode", "bond is active-backup",
      "The bond uses one port at a time, which no switch has to know about.",
      BLOCKER, AT_SOURCE, NETPREPD, "set the bond's mode to active-backup in the guest",
      RHV_VF, .invalidated_by = GUEST_NETWORK, .fault = FAULT_BOND_UNFIT },
    { "network.bond-monitoring", "bond watches its links",
      "The bond watches its links (miimon), so that it notices a dead one.",
      BLOCKER, AT_SOURCE, NETPREPD, "set the bond's miimon to 100 in the guest",
      BONDING, .invalidated_by = GUEST_NETWORK, .fault = FAULT_BOND_UNFIT },
    { "network.bond-primary", "VF is primary",
      "The bond goes back to the VF by itself.",
      WARNING, AT_SOURCE, NETPREPD, "set the bond's primary in the guest",
      BONDING, .invalidated_by = GUEST_NETWORK },
    { "network.bond-announcements", "bond announces itself",
      "The bond tells switches often enough where it went.",
      WARNING, AT_SOURCE, NETPREPD, "set the bond's num_grat_arp to 3 in the guest",
      BONDING, .invalidated_by = GUEST_NETWORK },
};
/* clang-format on */

const CheckKinds check_kinds_network = { kinds, G_N_ELEMENTS(kinds) };
