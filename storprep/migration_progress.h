/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a migration is, as callers are told. Pure. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"

typedef enum {
    MIGRATION_PHASE_QUEUED,     /* others are being moved; libvirt was not asked yet */
    MIGRATION_PHASE_PREPARING,  /* libvirt was asked, nothing is sent yet */
    MIGRATION_PHASE_DISKS,      /* disks are copied */
    MIGRATION_PHASE_MEMORY,     /* memory is sent, and what is written to copied disks */
    MIGRATION_PHASE_SUSPENDED,  /* likewise, and the guest stands still until it has arrived */
    MIGRATION_PHASE_POSTCOPY,   /* the guest runs on the destination and fetches its memory */
    MIGRATION_PHASE_CANCELLING, /* libvirt was asked to stop it */
} MigrationPhase;

const char *migration_phase_name(MigrationPhase phase); /* "disks" */

/* DISKS, MEMORY or PREPARING, by what libvirt counts: it copies disks before it sends memory. */
MigrationPhase migration_phase_of(const MigrationProgress *progress);
/* Seconds until all is sent at the present rates of sending and dirtying, rounded up; -1: never, or
 * unknown. */
gint64 migration_seconds_left(const MigrationProgress *progress);
/* The Progress record of io.migprep.Storage: new reference. */
json_t *migration_progress_pack(MigrationPhase phase, const MigrationProgress *progress);
