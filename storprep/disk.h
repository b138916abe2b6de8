/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a move means for one disk of a guest, and why. */
#pragma once

#include <jansson.h>

#include "common/domain_xml.h"
#include "storprep/image_header.h"

typedef enum {
    DISK_COPY,       /* its content goes to an equal image on the destination */
    DISK_NONE,       /* nothing to do, or nothing that this host could do */
    DISK_IMPOSSIBLE, /* the guest cannot be moved with it */
} DiskMigration;

typedef struct {
    char *target; /* "vda" */
    char *path;   /* NULL if empty; a short description for what is no file */
    char *format;
    gboolean provable;  /* a plain file: if both hosts have it in common, it need not move */
    gboolean has_shape; /* an image header was read */
    ImageShape shape;
    DiskMigration migration;
    char *reason; /* why not copied, with the remedy; NULL for DISK_COPY */
} Disk;

void disk_free(Disk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Disk, disk_free)

/*
 * Judges one disk. Reads the image's header when the definition alone does not decide; an image
 * that cannot be read is DISK_IMPOSSIBLE with the error as its reason, so that a report names every
 * disk. Never fails. Blocks on the file.
 */
Disk *disk_plan(const DomainDisk *definition);
/* All disks of @domain, in its order: GPtrArray of Disk *. */
GPtrArray *disk_plan_all(const DomainXml *domain);
/* The Disk record of io.migprep.Storage. New reference. */
json_t *disk_to_json(const Disk *disk);

/* Pure: "NFS" and the like if files on a file system with this statfs(2) f_type are seen by several
 * hosts, else NULL. Static. libvirt's virFileIsSharedFSType() has the same list. */
const char *disk_shared_file_system(guint64 type);
