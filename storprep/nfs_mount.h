/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of an NFS server mounted on this host, where guests and libvirt see it. */
#pragma once

#include "storprep/share_request.h"

/*
 * For the parameters of io.migprep.Storage.Mount, which passed the interface's check: one asset,
 * about the mount point. FAULT_INVALID_ARGUMENT, FAULT_SHARE_REFUSED (the server's name, or a mount
 * of this host's own directory over itself), FAULT_TARGET_REFUSED (not within the image
 * directories). Blocks on the name service.
 */
ShareRequest *nfs_mount_request_new(json_t *parameters, const ShareHost *host, GError **error);

/* The options that the mount got from kernel and server ("rw,vers=4.2,..."). Borrowed. */
const char *nfs_mount_options(const Lease *lease);
