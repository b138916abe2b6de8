/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to bonds and their ports, by rtnetlink. */
#pragma once

#include "netprep/guest/links.h"

/* All return false with @failure. A repeat of what is so already does no harm. */

/* Brings a device up or down. */
bool link_set_up(const Link *link, bool up, Failure *failure);

/* Creates active-backup bond @name, down, with @mac: miimon 100, three announcements after each
 * fail-over, and the same MAC on every port. *ret_existed: there was a bond of that name; it has
 * been given these options, which the kernel only allows while it has no ports. */
bool bond_create(const char *name, const uint8_t *mac, bool *ret_existed, Failure *failure);
bool bond_delete(const Link *bond, Failure *failure);

/* Makes @port a port of @bond, which takes it down and lets the bond bring it up. */
bool bond_enslave(const Link *bond, const Link *port, Failure *failure);

/* Takes @port out of its bond. */
bool bond_release(const Link *port, Failure *failure);

/* Sets the port to prefer (@port NULL: none) and the port to use now. */
bool bond_set_primary(const Link *bond, const Link *port, Failure *failure);
bool bond_set_active(const Link *bond, const Link *port, Failure *failure);

/* Whether @bond takes in what arrives at ports it does not use. Off is the default; on while the
 * traffic moves between ports, since the network learns of the move later than the bond. */
bool bond_set_hear_all(const Link *bond, bool hear, Failure *failure);
