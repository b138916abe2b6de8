/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SR-IOV virtual functions (VFs) of this host, and who has each of them. */
#pragma once

#include "netprep/network_host.h"
#include "netprep/physical_function.h"

typedef enum {
    FUNCTION_STATE_FREE,
    FUNCTION_STATE_RESERVED, /* held by a lease */
    FUNCTION_STATE_GUEST,    /* in an active guest, or held by a lease and in one */
    FUNCTION_STATE_HOST,     /* its network device is used by this host */
    FUNCTION_STATE_FOREIGN,  /* somebody else's: vfio-pci without a guest, another namespace */
    FUNCTION_STATE_UNFIT,    /* nobody's, but cannot be passed through on its own */
} FunctionState;

typedef struct {
    char *address;                 /* "0000:01:10.2" */
    const char *physical_function; /* name of the PF's port; borrowed */
    const PhysicalFunction *port;  /* borrowed */
    unsigned index;
    const char *driver; /* NULL: none bound; borrowed */
    int iommu_group;    /* IOMMU_GROUP_NONE without one */
    FunctionState state;
    char *holder; /* who has it, if known; for a free one who configured it but does not run */
    char *reason; /* why it is not free, as the rest of a sentence about it; NULL if it is */
} Function;

/* Reference-counted; not changed any more once it is shared. */
typedef struct {
    gint references;
    GPtrArray *functions;          /* of Function *, by PF and index */
    GHashTable *by_address;        /* address -> Function *, borrowed */
    GPtrArray *physical_functions; /* of PhysicalFunction *, by address and port */
    HostLinks *links;
    GStringChunk *texts; /* what many of them have in common */
} FunctionInventory;

FunctionInventory *function_inventory_ref(FunctionInventory *inventory);
void function_inventory_unref(FunctionInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FunctionInventory, function_inventory_unref)

/*
 * Reads @sysfs ("/sys") only: three links per VF and no netlink, since listing VFs by netlink costs
 * milliseconds each. Knows states FREE, HOST, FOREIGN and UNFIT. @addressed is the set of links
 * with an address (link_addresses_read()); NULL: none has. A host without SR-IOV has an empty
 * inventory; VFs that vanish meanwhile are not in it. FAULT_INTERNAL if sysfs cannot be read, which
 * must not look like an empty host. Blocks briefly.
 */
FunctionInventory *function_inventory_read(const char *sysfs, GHashTable *addressed,
                                           GError **error);

/* sysfs and guests: whether a VF is physically free, whatever leases say. */
FunctionInventory *function_inventory_survey(const NetworkHost *host, GError **error);
/* sysfs, guests and leases: whether a VF may be handed out. */
FunctionInventory *function_inventory_survey_with_leases(const NetworkHost *host, GError **error);

/* NULL if the host has no such VF. Borrowed. */
Function *function_inventory_find(const FunctionInventory *inventory, const char *address);

/* The PF that @text means: its network device or PCI address, or those of one of its VFs. NULL if
 * this host has no such PF. Borrowed. */
const PhysicalFunction *function_inventory_find_port(const FunctionInventory *inventory,
                                                     const char *text);

/* FALSE if the VF's PF is known to be down or without carrier, so that a guest would lose its
 * connection by moving its traffic to the VF. */
gboolean function_has_carrier(const Function *function);

/* Gives it @state, with copies of @holder (NULL: unknown) and @reason (printf). */
void function_set_state(Function *function, FunctionState state, const char *holder,
                        const char *reason, ...) G_GNUC_PRINTF(4, 5);

/* The type Function of io.migprep.Network; @networks: names of the PF's physical networks. */
json_t *function_to_json(const Function *function, const char *const *networks);
