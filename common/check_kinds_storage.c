/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the part of the catalogue that is about storage. Whoever adds a line adds a test where the
 * check holds and one where it is broken; tests/check-catalogue looks for both. */
#include "common/check_kinds.h"

/* clang-format off */
static const CheckKind kinds[] = {
    { "storage.disks-movable", "disk can be moved",
      "The disk is copied, or needs no copy.",
      BLOCKER, AT_SOURCE, STORPREPD, "see the evidence",
      OPENEULER, .invalidated_by = GUEST_CONFIG,
      .fault = FAULT_DISK_UNSUPPORTED, .loses_data = TRUE },
    { "storage.format-matches", "image is what is declared",
      "A disk declared as raw does not begin like a qcow2 image, which some program might take it "
      "for.",
      WARNING, AT_SOURCE, STORPREPD, "declare the image's real format: virsh edit",
      QCOW2, .invalidated_by = GUEST_CONFIG },
    { "storage.cache-mode", "cache mode is safe",
      "A disk on shared storage bypasses the hosts' page caches: none or directsync.",
      WARNING, AT_SOURCE, STORPREPD, "set <driver cache='none'/> and restart the guest",
      LIBVIRT, .invalidated_by = GUEST_CONFIG },
    { "storage.path-allowed", "path is allowed",
      "The copy's path lies in an image directory of the destination, which is there.",
      BLOCKER, AT_DESTINATION, STORPREPD,
      "create the directory, or add it to image-directories in /etc/migprep/migprep.conf",
      OPENEULER, .invalidated_by = HOST_STORAGE,
      .fault = FAULT_TARGET_REFUSED, .loses_data = TRUE },
    { "storage.target-absent", "path is free",
      "Nothing is at the copy's path: no file is ever overwritten.",
      BLOCKER, AT_DESTINATION, STORPREPD, "move the file away if nobody needs it",
      OPENEULER, .invalidated_by = HOST_STORAGE, .fault = FAULT_TARGET_EXISTS, .loses_data = TRUE },
    { "storage.space-enough", "enough space",
      "The copies fit, fully written, beside what other moves were promised.",
      BLOCKER, AT_DESTINATION, STORPREPD, "free space there",
      OPENEULER, .invalidated_by = HOST_STORAGE, .fault = FAULT_NO_SPACE, .loses_data = TRUE },
    { "storage.pools-there", "pools are there",
      "libvirt's storage pools that the guest's images lie in are active there, at the same path.",
      WARNING, AT_DESTINATION, STORPREPD, "virsh pool-start POOL",
      RHEL15, .invalidated_by = HOST_STORAGE },
    { "storage.nfs-options", "network storage is mounted well",
      "Network storage under a disk is mounted hard, writable and with the server's locks.",
      WARNING, AT_DESTINATION, STORPREPD, "remount it with: rw,hard, without nolock and local_lock",
      NFS, .invalidated_by = HOST_STORAGE },
    { "storage.virt-use-nfs", "SELinux allows NFS",
      "SELinux lets guests use network storage.",
      BLOCKER, AT_DESTINATION, STORPREPD, "setsebool -P virt_use_nfs on",
      RHEL, .invalidated_by = HOST_SOFTWARE, .fault = FAULT_DISK_UNSUPPORTED },
    { "storage.qemu-user-same", "QEMU is the same user",
      "QEMU runs with the same user id on both hosts, as a server of network storage sees it.",
      BLOCKER, AT_DESTINATION, STORPREPD, "set user and group in /etc/libvirt/qemu.conf alike",
      NFS, .invalidated_by = HOST_SOFTWARE, .fault = FAULT_DISK_UNSUPPORTED },
};
/* clang-format on */

const CheckKinds check_kinds_storage = { kinds, G_N_ELEMENTS(kinds) };
