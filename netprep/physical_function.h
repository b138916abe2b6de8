/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The SR-IOV physical functions (PFs) of this host's network cards. */
#pragma once

#include "netprep/host_link.h"

typedef enum {
    PHYSICAL_LINK_UNKNOWN, /* it has no network device here: no driver, or another namespace */
    PHYSICAL_LINK_DOWN,
    PHYSICAL_LINK_NO_CARRIER,
    PHYSICAL_LINK_UP,
} PhysicalLink;

/*
 * One port of a PF. Cards with two ports behind one PCI function have one entry a port, with equal
 * addresses; which port a VF belongs to is told by the port's id, if at all.
 */
typedef struct {
    char *name;    /* its network device, or its PCI address where it has none */
    char *address; /* "0000:01:00.0" */
    char *port_id; /* phys_port_id of the network device; NULL where the driver has none */
    PhysicalLink link;
    unsigned mtu;       /* 0: unknown */
    int numa_node;      /* -1: none */
    unsigned total;     /* VFs that it can have */
    unsigned functions; /* VFs that it has (sriov_numvfs) */
    gboolean only_port; /* no other port has the same address */
} PhysicalFunction;

/*
 * Reads all PFs below @sysfs, an open directory: GPtrArray of PhysicalFunction * with a free
 * function, by address and port. Representors of VFs and InfiniBand child interfaces, which belong
 * to the same PCI device, are not mistaken for it. 0 or a negative errno.
 */
int physical_functions_read(int sysfs, const HostLinks *links, GPtrArray **ret_functions);
