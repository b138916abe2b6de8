/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The IPv4 addresses of a guest's bond, and of those it lately spoke with through it. */
#pragma once

#include "netprep/bond.h"

typedef struct {
    char **own;        /* of the bond itself; not of VLANs on it */
    char **neighbours; /* complete entries of the guest's ARP table; empty if it may not be read */
} GuestNeighbours;

void guest_neighbours_free(GuestNeighbours *neighbours);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestNeighbours, guest_neighbours_free)

/* Asks the guest's agent. Fails like guest_agent_call(); what the agent may not tell is left empty.
 * At most LEG_PROBE_ADDRESSES of each. Blocks. */
GuestNeighbours *guest_neighbours_read(const BondAccess *access, const char *bond, GError **error);

/* The neighbours in the text of /proc/net/arp (proc(5)) that were reached through @device. Owned by
 * the caller. Pure. */
char **guest_neighbours_parse(const char *text, const char *device);
