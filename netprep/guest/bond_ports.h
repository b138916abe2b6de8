/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which port of a bond is the function and which is the VirtIO device that stays. */
#pragma once

#include "netprep/guest/links.h"

typedef struct {
    const Link *bond;
    const Link *primary; /* NULL: the function is away */
    const Link *backup;
} BondPorts;

/* Finds active-backup bond @name and its ports among @links, from which they are borrowed. The
 * function is the port at @primary_path; without a path, the one port that is not a VirtIO device.
 * False with @failure, also if it is not clear which port is which. */
bool bond_ports_find(const Links *links, const char *name, const char *primary_path,
                     BondPorts *ret_ports, Failure *failure);
