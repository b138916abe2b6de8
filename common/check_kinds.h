/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the catalogue and the words they are written with; for check_catalogue.c and them.
 */
#pragma once

#include "common/check_catalogue.h"

typedef struct {
    const CheckKind *kinds;
    gsize count;
} CheckKinds;

extern const CheckKinds check_kinds_host, check_kinds_guest, check_kinds_network,
    check_kinds_storage;

#define AT_SOURCE      CHECK_AT_SOURCE
#define AT_DESTINATION CHECK_AT_DESTINATION
#define AT_EVERY_HOST  CHECK_AT_EVERY_HOST
#define BLOCKER        CHECK_BLOCKER
#define INFORMATION    CHECK_INFORMATION
#define WARNING        CHECK_WARNING
#define NETPREPD       "netprepd"
#define STORPREPD      "storprepd"

#define GUEST_STATE   "a change of the guest's state"
#define GUEST_CONFIG  "a change of the guest's configuration"
#define GUEST_NETWORK "a change of the network inside the guest"
#define HOST_SOFTWARE "an update or a restart of the host"
#define HOST_LOAD     "another guest that starts or arrives there"
#define HOST_NETWORK  "a change of the host's networks"
#define HOST_STORAGE  "a change of files or of free space on the host"

#define RHEL      "RHEL 8, Configuring and managing virtualization, Migrating virtual machines"
#define RHV       "RHV, Virtual Machine Management Guide, 6.14.1 Live Migration Prerequisites"
#define RHV_VF    "RHV, Virtual Machine Management Guide, 6.14.2 SR-IOV vNICs"
#define OPENEULER "openEuler, Virtualization User Guide, VM Live Migration"
#define LIBVIRT   "libvirt, qemuMigrationSrcIsAllowed() and qemuMigrationSrcIsSafe()"
#define RHEL_HOSTS                                                                                 \
    "RHEL 8, Configuring and managing virtualization, Supported hosts for virtual machine "        \
    "migration"
#define RHEL15       "RHEL 7, Virtualization Deployment and Administration Guide, KVM Migration"
#define LIBVIRT_HOST "libvirt, qemuMigrationDstPrepareDirect() and docs/migration"
#define NFS          "nfs(5), and libvirt, docs/drvqemu"
#define FIELD        "oVirt, host deployment: clocks of a cluster are kept alike"
#define PCIE         "PCI Express Base Specification, and QEMU, docs/pcie.txt"
#define FIELD_NET    "Linux, Documentation/networking/switchdev.rst and bonding.rst"
#define QEMU         "QEMU, docs/devel/migration"
#define BONDING      "Linux, Documentation/networking/bonding.rst"
#define VFIO         "Linux, Documentation/driver-api/vfio.rst"
#define VF_RATE      "Linux, drivers' ndo_set_vf_rate(), and ip-link(8)"
#define VFIO_MOVE    "QEMU, docs/devel/migration/vfio.rst, and RHEL 10 on mlx5: same PSID and firmware"
#define QEMU_BLOCK   "QEMU, block/file-posix.c: the request alignment of O_DIRECT"
#define SVIRT        "RHEL 8, Configuring and managing virtualization, Securing virtual machines: sVirt"
#define SWTPM        "libvirt, qemuTPMCanMigrateSharedStorage(), and swtpm(8)"
#define QCOW2        "QEMU, docs/system/images.rst, and CVE-2014-0134"
