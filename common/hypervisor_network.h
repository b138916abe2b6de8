/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtual network of libvirt, as far as it tells where a guest's vNIC leads. */
#pragma once

#include <glib.h>

typedef struct {
    char *name;
    /* <forward mode='hostdev'>: the PFs named by <pf>, or else the VFs named by <address> or
     * <interface>; network devices or PCI addresses. NULL: a network of another kind. */
    char **functions;
    char *bridge; /* of a network that guests reach through one; NULL: none */
} HypervisorNetwork;

void hypervisor_network_free(HypervisorNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HypervisorNetwork, hypervisor_network_free)

/* Reads libvirt's XML of a network. Pure. FAULT_HYPERVISOR_FAILED if malformed or without a name,
 * FAULT_LIMIT_EXCEEDED. */
HypervisorNetwork *hypervisor_network_parse(const char *xml, GError **error);

/* The one called @name of @networks, of HypervisorNetwork *; NULL if there is none. Borrowed. */
const HypervisorNetwork *hypervisor_networks_find(const GPtrArray *networks, const char *name);
