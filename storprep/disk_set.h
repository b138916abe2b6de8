/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all disks of a guest together allow: which kind of migration, or why none. */
#pragma once

#include "storprep/disk.h"

typedef enum {
    DISK_SET_SHARED, /* nothing is copied: both hosts have all, or there is nothing */
    DISK_SET_COPY,
    DISK_SET_MIXED,
    DISK_SET_NONE, /* it cannot be moved so */
} DiskSetMigration;

typedef struct {
    DiskSetMigration migration;
    char *reason; /* for NONE: which disk, why, and what helps; else NULL */
} DiskSetVerdict;

void disk_set_verdict_clear(DiskSetVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DiskSetVerdict, disk_set_verdict_clear)

/*
 * Pure. @disks: of Disk *. @shared: targets that were proven to be one file on both hosts; @copy:
 * those that are to be copied, NULL for all that can be (both NULL-terminated). A target in both is
 * none: source and target of the copy would be one file, which would overwrite itself. QEMU refuses
 * to copy what is read-only or empty (nbd_export, "Cannot migrate empty or read-only disk").
 */
void disk_set_judge(const GPtrArray *disks, const char *const *shared, const char *const *copy,
                    DiskSetVerdict *ret_verdict);
/* "mixed". Static. */
const char *disk_set_migration_name(DiskSetMigration migration);
