/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How this host's libvirt will treat a disk that both hosts have in common. */
#pragma once

#include "storprep/disk.h"
#include "storprep/qemu_conf.h"

/*
 * libvirt judges by the file system's type and by shared_filesystems in qemu.conf. Where the image
 * lies on the NFS server itself both say "local": then libvirt refuses to migrate, or, when told to
 * do it all the same, takes the file away from the guest after the move by giving it back to root.
 * It does not where it never changes owners: with dynamic_ownership = 0, or a <seclabel> of the
 * disk or the guest that says so.
 */
typedef enum {
    SHARED_DISK_SEEN,   /* libvirt knows that it is shared */
    SHARED_DISK_UNSEEN, /* it does not, which is harmless */
    SHARED_DISK_LOST,   /* it does not, and the guest would lose the image */
} SharedDiskSight;

/* Blocks on the file system of @disk. */
SharedDiskSight shared_disk_look(const QemuConf *conf, const Disk *disk);
/* As that, in *ret_sight; FAULT_DISK_UNSUPPORTED naming @disk, with the arrangements that work, if
 * it would be lost. */
gboolean shared_disk_check(const QemuConf *conf, const Disk *disk, SharedDiskSight *ret_sight,
                           GError **error);
/* Pure: whether nothing of @disk stays in the memory of the host that a guest leaves (cache modes
 * none and directsync), which libvirt asks of what is shared (qemuMigrationSrcIsSafe()). */
gboolean shared_disk_is_uncached(const Disk *disk);
