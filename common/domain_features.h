/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest needs of whatever host it runs on, read from its domain XML. Pure. */
#pragma once

#include <glib.h>

#include "common/domain_pages.h"

/* A device of the host that the guest has, other than a PCI device that may be a VF. */
typedef struct {
    char *kind;     /* usb | scsi | scsi_host | mdev | pci | storage | misc | net | ... */
    char *label;    /* alias, or its kind and number */
    char *function; /* host PCI address; NULL if it is no PCI device */
} DomainHostDevice;

typedef struct {
    char *type;           /* kvm | qemu | ... */
    char *architecture;   /* NULL: the host's */
    char *machine;        /* NULL: the host's default */
    char *emulator;       /* NULL: libvirt's choice */
    char *processor;      /* <cpu> as written; NULL: the hypervisor's default */
    char *processor_mode; /* custom | host-model | host-passthrough | maximum; NULL without <cpu> */
    guint64 memory_bytes;
    GArray *huge_pages; /* of DomainPages, as domain_pages_read() */
    unsigned vcpus;
    char **networks; /* libvirt networks that vNICs are on, those of passthrough ones left out */
    char **network_bridges;  /* through which each of them is reached here; "" where none is told */
    char **bridges;          /* that vNICs are on without a network */
    char **devices;          /* of the host that vNICs are on by macvtap (type 'direct') */
    char **sockets;          /* of the host that vNICs connect to (type 'vhostuser') */
    char **macs;             /* of its vNICs, passthrough ones included, in lower case */
    GPtrArray *host_devices; /* of DomainHostDevice * */
    gboolean copying_disk;   /* a disk has a <mirror>: a block job runs */
} DomainFeatures;

/* FAULT_HYPERVISOR_FAILED if @xml is malformed, FAULT_LIMIT_EXCEEDED. */
DomainFeatures *domain_features_parse(const char *xml, GError **error);
void domain_features_free(DomainFeatures *features);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainFeatures, domain_features_free)
