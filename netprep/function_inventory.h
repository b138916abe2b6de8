/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SR-IOV virtual functions (VFs) of this host, and who has each of them. */
#pragma once

#include "netprep/network_host.h"

typedef enum {
    FUNCTION_STATE_FREE,
    FUNCTION_STATE_RESERVED, /* held by a lease */
    FUNCTION_STATE_GUEST,    /* in an active guest, or held by a lease and in one */
    FUNCTION_STATE_HOST,     /* its network device is used by this host */
    FUNCTION_STATE_FOREIGN,  /* somebody else's: vfio-pci without a guest, another namespace */
} FunctionState;

typedef struct {
    char *address;           /* "0000:01:10.2" */
    char *physical_function; /* network device of its PF */
    unsigned index;
    char *driver; /* NULL: none bound */
    FunctionState state;
    char *holder; /* who has it; for a free one who configured it but does not run */
} Function;

typedef struct {
    GPtrArray *functions;   /* of Function *, by PF and index */
    GHashTable *by_address; /* address -> Function *, borrowed */
} FunctionInventory;

void function_inventory_free(FunctionInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FunctionInventory, function_inventory_free)

/*
 * Reads @sysfs ("/sys") only: a few file reads per VF and no netlink, since listing VFs by netlink
 * costs milliseconds each. Knows states FREE, HOST and FOREIGN. @addressed is the set of links with
 * an address (link_addresses_read()). A host without SR-IOV has an empty inventory. Blocks briefly.
 */
FunctionInventory *function_inventory_read(const char *sysfs, GHashTable *addressed);

/* Marks what guests (GPtrArray of Guest *) have. A VF that only a shut-off guest's configuration
 * names stays free, but has that guest as its holder. */
void function_inventory_mark_guests(FunctionInventory *inventory, const GPtrArray *guests);
/* Marks what leases (GPtrArray of Lease *) hold, unless a guest has it. */
void function_inventory_mark_leases(FunctionInventory *inventory, const GPtrArray *leases);

/* sysfs and guests: whether a VF is physically free, whatever leases say. */
FunctionInventory *function_inventory_survey(const NetworkHost *host, GError **error);
/* sysfs, guests and leases: whether a VF may be handed out. */
FunctionInventory *function_inventory_survey_with_leases(const NetworkHost *host, GError **error);

/* NULL if the host has no such VF. Borrowed. */
Function *function_inventory_find(const FunctionInventory *inventory, const char *address);

/* The type Function of io.migprep.Network; @networks: names of the PF's physical networks. */
json_t *function_to_json(const Function *function, const char *const *networks);
