/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which PFs lead to which physical network: what makes a VF of one host equal to one of another. */
#pragma once

#include "netprep/network_host.h"

typedef struct PhysicalNetworks PhysicalNetworks;

/* The configuration's networks, and libvirt's <forward mode='hostdev'> networks under names that
 * the configuration does not use. Blocks. */
PhysicalNetworks *physical_networks_read(Hypervisor *hypervisor, const Config *config,
                                         GError **error);
void physical_networks_free(PhysicalNetworks *networks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PhysicalNetworks, physical_networks_free)

/* Whether the network is known, and whether this PF leads to it. */
gboolean physical_networks_contain(const PhysicalNetworks *networks, const char *name);
gboolean physical_networks_lead(const PhysicalNetworks *networks, const char *name,
                                const char *physical_function);
/* Names of all networks behind @physical_function, sorted; a GStrv of its own. */
char **physical_networks_of(const PhysicalNetworks *networks, const char *physical_function);
