/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a move means for one disk of a guest, and why. */
#pragma once

#include <jansson.h>

#include "common/domain_xml.h"
#include "common/hypervisor.h"
#include "storprep/image_header.h"

typedef enum {
    DISK_COPY,       /* its content goes to an equal image on the destination */
    DISK_NONE,       /* nothing to do, or nothing that this host could do */
    DISK_IMPOSSIBLE, /* the guest cannot be moved with it */
} DiskMigration;

/* What its content lies on, by its definition. */
typedef enum {
    DISK_ON_NOTHING, /* it is empty */
    DISK_ON_FILE,
    DISK_ON_BLOCK,     /* a raw block device */
    DISK_ON_NETWORK,   /* rbd, iscsi, nbd and their like */
    DISK_ON_VOLUME,    /* of a storage pool */
    DISK_ON_SOMETHING, /* else: a directory, vhost-user, NVMe */
} DiskStorage;

typedef struct {
    char *target; /* "vda" */
    char *path;   /* NULL if empty; a short description for what is no file */
    char *pool;   /* that it is a volume of; else NULL */
    char *format;
    DiskStorage storage;
    char *cache;         /* mode; NULL: QEMU's default */
    gboolean owner_kept; /* libvirt leaves its image's owner alone, by the guest's definition */
    char *protocol;      /* of network storage; NULL if it is none */
    gboolean read_only, shareable, transient, encrypted;
    json_t *backing;    /* array of Backing, the nearest image first; NULL: none is known of */
    const char *header; /* what the image's first bytes say that it is: "raw", "qcow2"; NULL: they
                           were not asked. Static */
    gboolean provable; /* a plain file, or a volume that is one: if both hosts have it in common, it
                          need not move */
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
 * disk. @hypervisor is asked for volumes of storage pools only. Never fails. Blocks on the file,
 * and on libvirt.
 */
Disk *disk_plan(const DomainDisk *definition, Hypervisor *hypervisor);
/* All disks of @domain, in its order: GPtrArray of Disk *. */
GPtrArray *disk_plan_all(const DomainXml *domain, Hypervisor *hypervisor);
/*
 * Those of @guest. A chain of backing files is copied into one image: libvirt leaves out of a move
 * what it found by itself, but a chain that the guest's definition names goes along, and the
 * destination would look for it (virDomainDiskBackingStoreFormat()); with that the disk is
 * DISK_IMPOSSIBLE. FAULT_HYPERVISOR_FAILED, FAULT_LIMIT_EXCEEDED.
 */
GPtrArray *disk_plan_guest(const Guest *guest, Hypervisor *hypervisor, GError **error);
/* The Disk record of io.migprep.Storage. New reference. */
json_t *disk_to_json(const Disk *disk);
