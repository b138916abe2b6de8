/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VFs that are lost: nobody known holds them, their lease holds nothing, or they collide. */
#pragma once

#include "netprep/function_inventory.h"

typedef enum {
    LEAK_UNKNOWN_HOLDER,   /* bound to VFIO, but no guest and no lease has it */
    LEAK_MISSING_FUNCTION, /* a lease holds it, but the host does not have it any more */
    LEAK_DAMAGED_LEASE,    /* held by a lease whose record cannot be read */
    LEAK_DUPLICATE_MAC,    /* another VF of its PF has the same MAC in the same VLAN */
    LEAK_UNVERIFIED,       /* a PF whose VFs' MACs cannot be read */
} LeakKind;

typedef struct {
    char *function; /* PCI address of the VF, or of the PF for LEAK_UNVERIFIED */
    LeakKind kind;
    char *detail; /* what was found, a sentence */
    char *remedy;
} Leak;

void leak_free(Leak *leak);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Leak, leak_free)

/*
 * Adds to @leaks (GPtrArray of Leak *) what an @inventory, marked with guests and leases, and the
 * @leases (GPtrArray of Lease *) with what the database says is @held (lease_store_held()) show.
 * Pure.
 */
void leaks_add_held(GPtrArray *leaks, const FunctionInventory *inventory, const GPtrArray *leases,
                    GHashTable *held);

/* Adds to @leaks the VFs of @port that have a MAC and VLAN which one before them has, by @entries
 * (GArray of FunctionEntry): the MAC in effect, whoever set it. VFs without a MAC have none to
 * share. Pure. */
void leaks_add_duplicates(GPtrArray *leaks, const FunctionInventory *inventory,
                          const PhysicalFunction *port, const GArray *entries);

/*
 * Looks at this host: GPtrArray of Leak *. MACs are only asked of PFs that have a VF in use, since
 * the kernel needs up to 2 ms a VF to answer, under a lock that all of its networking shares. A VF
 * that libvirt is just about to plug or has just unplugged may be among the leaks; it is not the
 * next time. Blocks.
 */
GPtrArray *leaks_survey(const NetworkHost *host, GError **error);

/* "unknownHolder", as in the type Leak of io.migprep.Network. Static. */
const char *leak_kind_name(LeakKind kind);
/* The type Leak. */
json_t *leak_to_json(const Leak *leak);
