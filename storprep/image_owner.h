/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose a new image is: QEMU's user's, with the label that SELinux lets guests have. */
#pragma once

#include "storprep/image_place.h"
#include "storprep/qemu_conf.h"

/*
 * libvirt gives an image to QEMU's user when the guest arrives, unless its dynamic_ownership is
 * off; and the owner that it finds is the one that it restores later. So a new image belongs to
 * that user from the start. SELinux: svirt guests start from virt_image_t (svirt_selinux(8)).
 */
typedef struct {
    gboolean known; /* FALSE: this host has no such user, or we are not root; it stays ours */
    uid_t uid;
    gid_t gid;
    const char *label; /* NULL: SELinux is off. Static */
} ImageOwner;

/* By @conf, and by whether /sys/fs/selinux is there below @root ("" or, for tests, a directory). */
void image_owner_read(const QemuConf *conf, const char *root, ImageOwner *ret_owner);

/* Gives the open file of @place to @owner. What is theirs already, or a file system without labels,
 * is left as it is. FAULT_TARGET_REFUSED where the file's server does not let us. */
gboolean image_owner_give(const ImageOwner *owner, const ImagePlace *place, int fd, GError **error);
