/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host offers to guests, as its libvirt tells. */
#pragma once

#include <glib.h>

typedef struct {
    guint64 size_bytes;
    guint64 free_count;
} HugePages;

typedef struct {
    char *type;              /* "QEMU" */
    char *uri;               /* of the libvirt that told, "qemu:///system" */
    guint64 version;         /* of the hypervisor: major * 1000000 + minor * 1000 + release */
    guint64 library_version; /* of libvirt, likewise */
    unsigned processors;     /* online */
    guint64 available_bytes; /* of memory: free or reclaimable; 0: not told */
    GArray *huge_pages;      /* of HugePages: the sizes that the host knows, all nodes together */
    char *capabilities;      /* libvirt's XML */
} HypervisorHost;

void hypervisor_host_free(HypervisorHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HypervisorHost, hypervisor_host_free)

/* Whether a guest of @architecture can have @machine type ("pc-q35-7.2") here. Pure.
 * FAULT_HYPERVISOR_FAILED if the capabilities are malformed. */
gboolean hypervisor_host_knows_machine(const HypervisorHost *host, const char *architecture,
                                       const char *machine, gboolean *ret_known, GError **error);
/* Whether guests of @architecture (NULL: any) can be of @type ("kvm") here. Pure. Errors likewise.
 */
gboolean hypervisor_host_offers(const HypervisorHost *host, const char *architecture,
                                const char *type, gboolean *ret_offered, GError **error);
/* The frequency of the host's TSC, and whether it can be scaled to another one for a guest. FALSE
 * if libvirt does not tell. Pure. */
gboolean hypervisor_host_tsc(const HypervisorHost *host, guint64 *ret_hertz, gboolean *ret_scaling);
/* The host's own processor, <cpu> as the capabilities have it; NULL if they name none. Owned. */
char *hypervisor_host_processor(const HypervisorHost *host);
/* The vendor and model of the host's processor, NULL where libvirt does not name them. Owned by the
 * caller. */
void hypervisor_host_name_processor(const HypervisorHost *host, char **ret_vendor,
                                    char **ret_model);
/* The numbers (GUINT_TO_POINTER()) of the host's processors and memory nodes; one node and as many
 * processors as there are online where libvirt tells no topology. Owned by the caller. */
void hypervisor_host_topology(const HypervisorHost *host, GHashTable **ret_processors,
                              GHashTable **ret_nodes);
/* The sizes of the host's pages, in KiB: GArray of unsigned; for implementations. */
GArray *hypervisor_host_page_sizes(const char *capabilities);
/* "7.2.0". Owned by the caller. */
char *hypervisor_version_to_text(guint64 version);

/* What a processor is compared for. All may be NULL: the host's usual one. */
typedef struct {
    const char *emulator;
    const char *architecture;
    const char *machine;
    const char *type; /* kvm | qemu */
    gboolean own;     /* the processor is a host's own, which a guest gets as it is */
} HypervisorMachine;
