/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes of storage pools (<disk type='volume'>) that are files, and so can be treated as such. */
#pragma once

#include "common/hypervisor.h"
#include "common/lease_store.h"

/*
 * The file that @volume of @pool is: owned by the caller. FAULT_DISK_UNSUPPORTED, with the remedy,
 * if there is no such active pool, its type is none of dir, fs and netfs, whose volumes alone are
 * files in one directory, or it has no such volume; FAULT_HYPERVISOR_UNAVAILABLE. Blocks on
 * libvirt.
 */
char *pool_volume_find(Hypervisor *hypervisor, const char *pool, const char *volume,
                       GError **error);

/* The directory that holds the volumes of @pool as files, by @pools (of StoragePool *, as
 * hypervisor_list_pools() gives them); NULL if it is not among them, or they are no files.
 * Borrowed. Pure. */
const char *pool_volume_directory(const GPtrArray *pools, const char *pool);

/*
 * For the targets of @lease that are to be volumes (member pool of their details): whether a pool
 * of that name is active here, and keeps its volumes where the target is to be. Else the guest's
 * definition would name another file here, or none. FAULT_TARGET_REFUSED. Blocks on libvirt.
 */
gboolean pool_volume_check_targets(Hypervisor *hypervisor, const Lease *lease, GError **error);
/* Has libvirt look into these pools again: what it has not seen in one, it would make anew for a
 * guest that comes in, and refuse since the file is there. Blocks on libvirt. */
gboolean pool_volume_show_targets(Hypervisor *hypervisor, const Lease *lease, GError **error);
