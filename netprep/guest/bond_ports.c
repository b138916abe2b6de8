/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells the ports of a bond apart. */
#include "netprep/guest/bond_ports.h"

#include <string.h>

static bool
is_virtio(const Link *link)
{
    return strcmp(link->driver, "virtio_net") == 0;
}

static bool
sort_ports(const Links *links, const char *primary_path, BondPorts *ports, Failure *failure)
{
    const Link *port = NULL;

    for (size_t i = 0; (port = links_find_port(links, ports->bond, i)); i++) {
        const bool primary =
            primary_path ? strcmp(port->pci_path, primary_path) == 0 : !is_virtio(port);
        const Link **place = primary ? &ports->primary : &ports->backup;

        if (*place) {
            failure_set(failure, "both %s and %s of %s are %s devices; one of each is wanted",
                        (*place)->name, port->name, ports->bond->name,
                        primary ? "passthrough" : "VirtIO");
            return false;
        }
        *place = port;
    }
    return true;
}

bool
bond_ports_find(const Links *links, const char *name, const char *primary_path,
                BondPorts *ret_ports, Failure *failure)
{
    BondPorts ports = { .bond = links_find_name(links, name) };

    if (!ports.bond || !ports.bond->is_bond)
        failure_set(failure, "%s is not a bond", name);
    else if (ports.bond->bond.options[BOND_OPTION_MODE] != BOND_MODE_BACKUP)
        failure_set(failure,
                    "%s is a %s bond, which loses traffic when its function goes; make it an "
                    "active-backup bond, which takes the network down for a moment",
                    name,
                    bond_option_word(BOND_OPTION_MODE, ports.bond->bond.options[BOND_OPTION_MODE]));
    else if (sort_ports(links, primary_path, &ports, failure)) {
        *ret_ports = ports;
        return true;
    }
    return false;
}
