/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the part of the catalogue that is about hosts. Whoever adds a line adds a test where the
 * check holds and one where it is broken; tests/check-catalogue looks for both. */
#include "common/check_kinds.h"

/* clang-format off */
static const CheckKind kinds[] = {
    { "host.daemons-answer", "daemons answer",
      "netprepd and storprepd of the host can be asked.",
      BLOCKER, AT_EVERY_HOST, "migprep", "systemctl start netprepd.socket storprepd.socket",
      RHEL, .invalidated_by = HOST_SOFTWARE, .fault = FAULT_DAEMON_UNAVAILABLE,
      .fix = "systemctl start netprepd.socket storprepd.socket" },
    { "host.libvirt-answers", "libvirt answers",
      "The libvirt that the host's daemons use answers.",
      BLOCKER, AT_EVERY_HOST, STORPREPD, "systemctl start libvirtd",
      RHEL, .invalidated_by = HOST_SOFTWARE, .fault = FAULT_HYPERVISOR_UNAVAILABLE,
      .fix = "systemctl start libvirtd" },
    { "host.hypervisor-same", "same hypervisor",
      "Both hosts run the same kind of hypervisor.",
      BLOCKER, AT_DESTINATION, STORPREPD, "move the guest to a host with the same hypervisor",
      RHV, .invalidated_by = HOST_SOFTWARE },
    { "host.version-not-older", "hypervisor not older",
      "The destination's QEMU is not older than the source's: an older one may not understand what "
      "a newer one sends.",
      BLOCKER, AT_DESTINATION, STORPREPD, "update QEMU on the destination",
      QEMU, .invalidated_by = HOST_SOFTWARE },
    { "host.cpu-compatible", "processor compatible",
      "libvirt says that the destination's processor has all that the guest's has.",
      BLOCKER, AT_DESTINATION, STORPREPD,
      "give the guest a model that both have: virsh hypervisor-cpu-baseline",
      RHEL, .invalidated_by = GUEST_CONFIG },
    { "host.vcpus-fit", "enough processors",
      "The guest has no more virtual processors than the destination has physical ones.",
      WARNING, AT_DESTINATION, STORPREPD, "move the guest to a host with more processors",
      OPENEULER, .invalidated_by = HOST_SOFTWARE },
    { "host.memory-enough", "enough memory",
      "The destination's free and reclaimable memory holds the guest.",
      BLOCKER, AT_DESTINATION, STORPREPD, "move other guests away from the destination first",
      RHV, .invalidated_by = HOST_LOAD },
    { "host.huge-pages-enough", "enough huge pages",
      "The destination has as many free huge pages of the guest's size as the guest needs.",
      BLOCKER, AT_DESTINATION, STORPREPD, "virsh allocpages --help",
      LIBVIRT, .invalidated_by = HOST_LOAD },
    { "host.iommu-on", "IOMMU is on",
      "The host has IOMMU groups, without which no function can be given to a guest.",
      BLOCKER, AT_EVERY_HOST, NETPREPD,
      "enable VT-d or AMD-Vi in the firmware and boot with intel_iommu=on",
      VFIO, .invalidated_by = HOST_SOFTWARE },
    { "host.vfio-present", "vfio-pci is loaded",
      "The driver that gives functions to guests is loaded; libvirt would load it by itself, if it "
      "is installed.",
      WARNING, AT_EVERY_HOST, NETPREPD, "modprobe vfio-pci",
      VFIO, .invalidated_by = HOST_SOFTWARE,
      .fix = "modprobe vfio-pci" },
};
/* clang-format on */

const CheckKinds check_kinds_host = { kinds, G_N_ELEMENTS(kinds) };
