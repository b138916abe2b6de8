/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which PCI devices share an IOMMU group: they can only be given to one user together. */
#pragma once

#include <glib.h>

typedef struct IommuGroups IommuGroups;

#define IOMMU_GROUP_NONE (-1)

/* Reads one link of every PCI device below @sysfs, an open directory. 0 or a negative errno. */
int iommu_groups_read(int sysfs, IommuGroups **ret_groups);
void iommu_groups_free(IommuGroups *groups);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(IommuGroups, iommu_groups_free)

/* The number of the group of PCI device @address; IOMMU_GROUP_NONE without one. */
int iommu_groups_find(const IommuGroups *groups, const char *address);

/*
 * Another member of @address's group that keeps it from being passed through alone; NULL if there
 * is none. Bridges do not: VFIO lets them stay with the host (kernel, Documentation/driver-api/
 * vfio.rst). Borrowed.
 */
const char *iommu_groups_partner(const IommuGroups *groups, const char *address);
