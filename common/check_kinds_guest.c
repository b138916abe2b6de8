/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the part of the catalogue that is about guests. Whoever adds a line adds a test where the
 * check holds and one where it is broken; tests/check-catalogue looks for both. */
#include "common/check_kinds.h"

/* clang-format off */
static const CheckKind kinds[] = {
    { "guest.exists", "guest is here",
      "The guest is known to the source's libvirt.",
      BLOCKER, AT_SOURCE, STORPREPD, "virsh list --all",
      RHEL, .invalidated_by = GUEST_STATE, .fault = FAULT_GUEST_NOT_FOUND },
    { "guest.running", "guest runs",
      "The guest runs: only then it is moved live.",
      BLOCKER, AT_SOURCE, STORPREPD, "start or resume the guest",
      RHEL, .invalidated_by = GUEST_STATE, .fault = FAULT_GUEST_NOT_RUNNING },
    { "guest.no-job", "no job runs on it",
      "libvirt runs no migration, backup, save or dump of the guest, and no disk is being copied.",
      BLOCKER, AT_SOURCE, STORPREPD, "wait for the job to end",
      LIBVIRT, .invalidated_by = GUEST_STATE, .fault = FAULT_GUEST_BUSY },
    { "guest.no-snapshot", "no snapshots",
      "The guest has no snapshots: libvirt refuses to move a guest that has.",
      BLOCKER, AT_SOURCE, STORPREPD, "virsh snapshot-delete",
      LIBVIRT, .invalidated_by = GUEST_CONFIG },
    { "guest.disks-healthy", "disks are healthy",
      "No request of the guest to a disk failed, which would have stopped it or its move.",
      BLOCKER, AT_SOURCE, STORPREPD, "virsh domblkerror GUEST",
      LIBVIRT, .invalidated_by = GUEST_STATE, .fault = FAULT_DISK_UNSUPPORTED },
    { "guest.untainted", "not tainted",
      "libvirt knows nothing that makes the guest hard to support, like a custom monitor command.",
      INFORMATION, AT_SOURCE, STORPREPD, "virsh dominfo GUEST --messages",
      LIBVIRT, .invalidated_by = GUEST_STATE },
    { "guest.not-transient-disk", "no transient disks",
      "No disk is to be thrown away when the guest ends.",
      BLOCKER, AT_SOURCE, STORPREPD, "remove <transient/> and restart the guest",
      LIBVIRT, .invalidated_by = GUEST_CONFIG, .fault = FAULT_DISK_UNSUPPORTED, .loses_data = TRUE },
    { "guest.no-host-devices", "no devices of its host",
      "The guest has no device of this host besides VFs of network cards: no USB, SCSI, mediated "
      "or other PCI device.",
      BLOCKER, AT_SOURCE, NETPREPD, "detach the device",
      LIBVIRT, .invalidated_by = GUEST_CONFIG },
    { "guest.agent-answers", "guest agent answers",
      "The guest's agent answers and tells about its network devices, so that its traffic can be "
      "moved off its VFs.",
      BLOCKER, AT_SOURCE, NETPREPD, "start qemu-guest-agent in the guest",
      RHV_VF, .invalidated_by = GUEST_NETWORK, .fault = FAULT_AGENT_UNAVAILABLE },
    { "guest.absent-there", "not there already",
      "The destination has no active guest of that UUID and no other one of that name.",
      BLOCKER, AT_DESTINATION, STORPREPD, "find out which of the two is the right one",
      LIBVIRT, .invalidated_by = HOST_LOAD, .fault = FAULT_GUEST_BUSY, .loses_data = TRUE },
    { "guest.machine-known-there", "machine type known",
      "The destination's QEMU offers the guest's machine type.",
      BLOCKER, AT_DESTINATION, STORPREPD, "update QEMU on the destination",
      RHEL, .invalidated_by = HOST_SOFTWARE },
};
/* clang-format on */

const CheckKinds check_kinds_guest = { kinds, G_N_ELEMENTS(kinds) };
