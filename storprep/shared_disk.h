/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether this host's libvirt will treat a disk as shared, once it is known to be. */
#pragma once

#include "storprep/qemu_conf.h"

/*
 * libvirt judges by the file system's type and by shared_filesystems in qemu.conf. Where the image
 * lies on the NFS server itself both say "local": then libvirt refuses to migrate, or, when told to
 * do it all the same, takes the file away from the guest after the move by giving it back to root.
 * FAULT_DISK_UNSUPPORTED naming disk @target, with the two arrangements that work, if that is so.
 * Blocks on the file system of @path.
 */
gboolean shared_disk_check(const QemuConf *conf, const char *target, const char *path,
                           GError **error);
