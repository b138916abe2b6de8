/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest cannot take along, or binds it to its host, read from its domain XML. Pure. */
#pragma once

#include <glib.h>

/* The namespace of a guest's migration policy in its metadata; its <migration> is none if the guest
 * may not be moved, manual if it may not be moved together with others. */
#define BAGGAGE_POLICY_NAMESPACE "https://migprep.io/policy/1"

typedef struct {
    char **unmovable;          /* devices that QEMU refuses to migrate: "shared memory (shmem0)" */
    char **shared_directories; /* of the host, in the guest: "virtiofs /srv/data" */
    char *tpm;                 /* emulator | passthrough | external; NULL: none */
    gboolean invariant_tsc;    /* its processor must have it, and its frequency is not fixed */
    guint64 tsc_hertz;         /* what it is fixed to; 0: to none */
    char *mode;                /* its policy: automatic | manual | none */
    char **needed_files;       /* that every host must have itself: firmware, read-only disks */
    char *pinned_processors;   /* of the host, "0-3,8"; NULL: it is not pinned */
    char *memory_nodes;        /* of the host; NULL: any */
} DomainBaggage;

/* FAULT_HYPERVISOR_FAILED if @xml is malformed, FAULT_LIMIT_EXCEEDED. */
DomainBaggage *domain_baggage_parse(const char *xml, GError **error);
void domain_baggage_free(DomainBaggage *baggage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainBaggage, domain_baggage_free)
