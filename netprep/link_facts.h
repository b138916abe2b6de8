/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of this host's bridges and cards another host should have alike. */
#pragma once

#include "netprep/function_inventory.h"

typedef struct {
    unsigned mtu; /* 0: not told */
    char *vlans;  /* of its ports that are VLAN devices, "100,200" in order; "" if none is */
} BridgeFacts;

void bridge_facts_clear(BridgeFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BridgeFacts, bridge_facts_clear)

/* FALSE if there is no such bridge. Blocks briefly. */
gboolean bridge_facts_read(const NetworkHost *host, const char *bridge, BridgeFacts *ret_facts);

/* How the card of port @name passes frames between its VFs: "legacy", by their MAC addresses, or
 * "switchdev", as its representors' bridge says. Static. Blocks briefly. */
const char *card_facts_switch_mode(const NetworkHost *host, const char *name);

/* Vendor and device of the PCI device at @address, "8086:10c9"; NULL if it does not tell. Owned by
 * the caller. */
char *card_facts_model(const NetworkHost *host, const char *address);
