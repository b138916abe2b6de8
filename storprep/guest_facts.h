/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest needs of another host, as its own host tells it. */
#pragma once

#include <jansson.h>

#include "common/domain_features.h"
#include "common/hypervisor.h"

/* NULL or 0: not told. */
typedef struct {
    char *name;
    char *uuid;
    char *type; /* kvm | qemu */
    char *architecture;
    char *machine;
    char *emulator;
    char *processor_mode; /* "none": the hypervisor's default */
    char *processor;      /* <cpu>; for host-passthrough that of the guest's host */
    guint64 memory_bytes;
    GArray *huge_pages; /* of DomainPages: what of it has to be in such; NULL: not told */
    unsigned processors;
    char *hypervisor; /* "QEMU" */
    guint64 hypervisor_version;
    guint64 library_version; /* of libvirt */
    guint64 tsc_hertz;       /* that the guest's TSC is fixed to; 0: to none */
    json_t *disks;           /* array of Disk; NULL: not told */
    json_t *images;          /* array of ImageIdentity; NULL: not told */
    char *pinned_processors; /* sets, see number_set.h; NULL: it is not pinned */
    char *memory_nodes;
    char *only_hosts; /* separated by spaces; NULL: it may go to any */
    char *apart_from; /* its group of guests of which no two may be on one host; NULL: none */
    json_t *files;    /* array of paths that must be there; NULL: not told */
    json_t *pools;    /* array of {name, path} that its disks lie in; NULL: not told */
    json_t *servers;  /* array of StorageServer, of its network disks; NULL: not told */
    json_t *sectors;  /* array of Sectors, under its disks; NULL: not told */
    char *tpm;        /* the kind of its TPM; NULL: none */
    /* of its host: */
    char *host_name;
    char *system;   /* "rhel 8.6" */
    char *firmware; /* "BIOS 1.16, microcode 0x2f" */
    char *cluster;  /* NULL: none */
    char *selinux;  /* enforcing | permissive | off */
    char *processor_vendor, *processor_model;
    guint64 clock_msec; /* since 1970 */
    gboolean tells_qemu_user;
    guint64 qemu_user;
    guint64 first_port, last_port; /* for memory and disks that come in */
} GuestFacts;

/* From the type Facts of io.migprep.Storage, which passed the interface's check. Names are bounded:
 * FAULT_INVALID_ARGUMENT. */
GuestFacts *guest_facts_from_json(const json_t *object, GError **error);
GuestFacts *guest_facts_copy(const GuestFacts *facts);
void guest_facts_free(GuestFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestFacts, guest_facts_free)

/* The members that tell of the guest, and of its host. New references. */
json_t *guest_facts_of_guest(const Guest *guest, const DomainFeatures *features);
json_t *guest_facts_of_host(const HypervisorHost *host, const DomainFeatures *features);
