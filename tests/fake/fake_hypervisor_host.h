/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host of the fake hypervisor offers to guests. */
#pragma once

#include "common/hypervisor.h"

typedef struct {
    const char *type;
    guint64 version;
    unsigned processors;
    guint64 available_bytes;
    HugePages huge_pages;
    const char *uri;
    const char *offered;                    /* the only type of guests */
    guint64 tsc_hertz;                      /* which it cannot scale */
    const char *machine;                    /* the only machine type it knows, of x86_64 */
    const char *processor_obstacle;         /* what every processor is missing; NULL: nothing */
    unsigned snapshots;                     /* of every guest, as all that follows */
    const char *job_disk;                   /* NULL: no block job runs */
    const char *broken_disk;                /* NULL: none is */
    const char *message;                    /* NULL: libvirt says nothing */
    guint64 dirty_bytes_per_second;         /* 0: QEMU cannot tell */
    const char *pool, *pool_path;           /* the only pool; NULL: none */
    const char *pool_host, *pool_directory; /* of a netfs pool; NULL: it is a directory's */
    const char *pool_type;                  /* NULL: as these say */
    const char *volume;                     /* the only one that it has seen; NULL: none */
} FakeHost;

/* QEMU 7.2.0, 8 processors, 16 GiB, 512 huge pages of 2 MiB, machine type pc-q35-7.2, KVM,
 * TSC of 2 GHz. */
extern const FakeHost FAKE_HOST_DEFAULT;

/* Its part of HypervisorOps. */
HypervisorHost *fake_host_get(void *self, GError **error);
gboolean fake_host_compare_processor(void *self, const HypervisorMachine *machine, const char *xml,
                                     char **ret_obstacle, GError **error);
GuestCondition *fake_host_inspect_guest(void *self, const char *uuid, GError **error);
char *fake_host_get_definition(void *self, const char *uuid, gboolean persistent, GError **error);
GPtrArray *fake_host_list_pools(void *self, GError **error);
gboolean fake_host_create_pool(void *self, const StoragePool *pool, GError **error);
gboolean fake_host_destroy_pool(void *self, const char *name, GError **error);
char *fake_host_find_volume(void *self, const char *pool, const char *volume, GError **error);
gboolean fake_host_refresh_pool(void *self, const char *name, GError **error);
gboolean fake_host_measure_dirty_rate(void *self, const char *uuid, unsigned seconds,
                                      guint64 *ret_bytes_per_second, GError **error);
/* The first of @processors; "<cpu><model>Own</model></cpu>" of none. */
char *fake_host_baseline_processor(void *self, const char *const *processors, GError **error);
