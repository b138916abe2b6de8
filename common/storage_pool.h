/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An active storage pool of libvirt: where its volumes lie. */
#pragma once

#include <glib.h>

typedef struct {
    char *name;
    char *type;             /* "dir", "netfs", ... */
    char *source_host;      /* of a netfs pool; else NULL */
    char *source_directory; /* likewise */
    char *path;             /* where it is; NULL: nowhere in the file system */
} StoragePool;

void storage_pool_free(StoragePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoragePool, storage_pool_free)

/* Reads libvirt's <pool>. NULL if it cannot be read. Pure. */
StoragePool *storage_pool_parse(const char *xml);
/* Writes a netfs pool over NFS (libvirt's formatstorage). Owned by the caller. Pure. */
char *storage_pool_build_netfs(const StoragePool *pool);
