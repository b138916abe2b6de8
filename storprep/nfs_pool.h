/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A libvirt storage pool over an NFS mount, made on request. */
#pragma once

#include "storprep/share_kind.h"

/*
 * Theory of operation. libvirt takes a netfs pool whose source is mounted at its target already for
 * started, and unmounts it when the pool is stopped (virStorageBackendFileSystemMount() and
 * ...Stop()). So the mount is ours, made before the pool; the pool is transient, gone with the
 * mount, and never stopped while anybody uses that or another lease needs it.
 */

/* The asset for pool @name over the mount of @source_host:@source_directory at @target. */
LeaseAsset *nfs_pool_new(const char *name, const char *source_host, const char *source_directory,
                         const char *target);
