/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to bonds and their ports, by rtnetlink. */
#pragma once

#include "netprep/guest/links.h"

/* What a bond without ports is given. */
typedef struct {
    const uint8_t *mac;
    unsigned mtu;
    const uint32_t *options; /* one for each BondOption */
} BondSettings;

/* All block for the kernel's answer and return false with @failure. A repeat of what is so already
 * does no harm. */

/* Brings a device up or down. */
bool link_set_up(const Kernel *kernel, const Link *link, bool up, Failure *failure);

/* Creates bond @name, down. *ret_existed: there was a bond of that name; it has been given the
 * settings, which the kernel only allows while it is down and has no ports. */
bool bond_create(const Kernel *kernel, const char *name, const BondSettings *settings,
                 bool *ret_existed, Failure *failure);
bool bond_delete(const Kernel *kernel, const Link *bond, Failure *failure);

/* Gives settings to an existing bond that is down and has no ports. */
bool bond_configure(const Kernel *kernel, const Link *bond, const BondSettings *settings,
                    Failure *failure);

/* Makes @port a port of @bond, which takes it down and lets the bond bring it up. */
bool bond_enslave(const Kernel *kernel, const Link *bond, const Link *port, Failure *failure);

/* Takes @port out of its bond; it is down then, and has its own MAC address and MTU again. */
bool bond_release(const Kernel *kernel, const Link *port, Failure *failure);

/* Sets the port to prefer (@port NULL: none) and the port to use now. */
bool bond_set_primary(const Kernel *kernel, const Link *bond, const Link *port, Failure *failure);
bool bond_set_active(const Kernel *kernel, const Link *bond, const Link *port, Failure *failure);

/* Sets one option; the kernel refuses some of them while there are ports. */
bool bond_set_option(const Kernel *kernel, const Link *bond, BondOption option, uint32_t value,
                     Failure *failure);

/* Whether @bond takes in what arrives at ports it does not use. Off is the default; on while the
 * traffic moves between ports, since the network learns of the move later than the bond. */
bool bond_set_hear_all(const Kernel *kernel, const Link *bond, bool hear, Failure *failure);
