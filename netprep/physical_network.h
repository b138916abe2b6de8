/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which PFs lead to which physical network: what makes a VF of one host equal to one of another. */
#pragma once

#include "netprep/function_inventory.h"

/*
 * Theory of operation. A physical network is a name that hosts share. The configuration may name
 * its PFs and its bridge. Otherwise libvirt does: by a network of VFs (<forward mode='hostdev'>),
 * or by a bridge that has a PF as port, directly, through a bond or through a VLAN on it. PFs are
 * named by network device or PCI address, or by one of their VFs.
 */
typedef struct PhysicalNetworks PhysicalNetworks;

/* Asks libvirt for its active networks and compares them with the configuration and @inventory,
 * which is only read. Blocks. */
PhysicalNetworks *physical_networks_read(const NetworkHost *host,
                                         const FunctionInventory *inventory, GError **error);
void physical_networks_free(PhysicalNetworks *networks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PhysicalNetworks, physical_networks_free)

/* Whether the network is known, and whether this PF (Function's physical_function) leads to it. */
gboolean physical_networks_contain(const PhysicalNetworks *networks, const char *name);
gboolean physical_networks_lead(const PhysicalNetworks *networks, const char *name,
                                const char *physical_function);

/* Names of all networks behind @physical_function, best first: those of the configuration, then
 * libvirt's networks of VFs, then those of bridges; by name among equals. A GStrv of its own. */
char **physical_networks_of(const PhysicalNetworks *networks, const char *physical_function);

/*
 * The bridge through which VirtIO vNICs reach network @name: the configuration's, or that of
 * libvirt's network, or the one that has one of its PFs (or a bond or VLAN over it) as port. NULL
 * if there is none, or no such network. Borrowed.
 */
const char *physical_networks_bridge(const PhysicalNetworks *networks, const char *name);

/* Array of the type PhysicalNetwork; @inventory is the one they were read with, marked with who has
 * the VFs. */
json_t *physical_networks_to_json(const PhysicalNetworks *networks,
                                  const FunctionInventory *inventory);
