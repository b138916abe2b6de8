/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which free VFs of this host a guest gets. */
#pragma once

#include "netprep/function_inventory.h"
#include "netprep/physical_network.h"

/* What may be handed out at one moment. Nothing is held by choosing: whoever writes a lease next
 * may find that another was quicker. */
typedef struct {
    FunctionInventory *inventory; /* with guests and leases */
    PhysicalNetworks *networks;
    GHashTable *taken; /* addresses: libvirt's pools gave them away, or they were chosen before */
} FunctionChoice;

/* Blocks. */
FunctionChoice *function_choice_new(const NetworkHost *host, GError **error);
void function_choice_free(FunctionChoice *choice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FunctionChoice, function_choice_free)

/*
 * A free VF on physical network @network, whose PF has a carrier; preferably one that no shut-off
 * guest counts on. It is not chosen again. FAULT_NO_FREE_FUNCTION tells of all @wanted ones.
 * Borrowed. Pure.
 */
const Function *function_choice_next(FunctionChoice *choice, const char *network, guint wanted,
                                     GError **error);
