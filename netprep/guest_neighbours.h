/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The IPv4 addresses of a guest's bonds, and of those it lately spoke with through them. */
#pragma once

#include "netprep/bond.h"

typedef struct {
    char **own;        /* of the bond itself; not of VLANs on it */
    char **neighbours; /* complete entries of the guest's ARP table; empty if it may not be read */
} GuestNeighbours;

/* What the guest said, for all its bonds. */
typedef struct {
    json_t *interfaces; /* NULL: its agent may not tell */
    char *arp;          /* its ARP table; "": likewise */
} GuestNeighbourhood;

void guest_neighbourhood_free(GuestNeighbourhood *neighbourhood);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestNeighbourhood, guest_neighbourhood_free)

/* What netprep-guest told with its report, which has no addresses; NULL if it told nothing. */
GuestNeighbourhood *guest_neighbourhood_told(const GuestReport *report);
/* Asks the guest's agent. Fails like guest_agent_call(); what the agent may not tell is left empty.
 * Blocks. */
GuestNeighbourhood *guest_neighbourhood_read(const BondAccess *access, GError **error);

void guest_neighbours_free(GuestNeighbours *neighbours);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestNeighbours, guest_neighbours_free)

/* Those of @bond, at most LEG_PROBE_ADDRESSES of each. Pure. */
GuestNeighbours *guest_neighbours_of(const GuestNeighbourhood *neighbourhood, const char *bond);

/* The neighbours in the text of /proc/net/arp (proc(5)) that were reached through @device. Owned by
 * the caller. Pure. */
char **guest_neighbours_parse(const char *text, const char *device);
