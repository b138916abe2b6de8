/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* use: moves a bond's traffic to one of its ports. */
#include "netprep/guest/bond.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

static bool
check(const Links *links, const char *bond_name, const char *port_name, Failure *failure)
{
    const Link *bond = links_find_name(links, bond_name);
    const Link *port = links_find_name(links, port_name);

    if (!bond || !bond->is_bond || bond->bond.options[BOND_OPTION_MODE] != BOND_MODE_BACKUP)
        failure_set(failure, "%s is not an active-backup bond", bond_name);
    else if (!port || port->master != bond->index)
        failure_set(failure, "%s is not a port of %s", port_name, bond_name);
    else if (!port->carrier)
        failure_set(failure, "%s has no carrier", port_name);
    else
        return true;
    return false;
}

static bool
change(const Kernel *kernel, const Links *links, const char *bond_name, const char *port_name,
       Failure *failure)
{
    const Link *bond = links_find_name(links, bond_name);

    /* The NIC goes on delivering to the old port until it is gone. */
    return bond_set_hear_all(kernel, bond, true, failure) &&
           bond_set_primary(kernel, bond, NULL, failure) &&
           bond_set_active(kernel, bond, links_find_name(links, port_name), failure);
}

static json_t *
prove(const Kernel *kernel, const char *bond_name, const char *port_name, Failure *failure)
{
    Links links = { 0 };
    json_t *report = NULL;

    if (!links_read(kernel, &links, failure))
        return NULL;
    const Link *bond = links_find_name(&links, bond_name);
    const Link *active = bond ? links_find_index(&links, bond->bond.active) : NULL;
    if (active && active == links_find_name(&links, port_name))
        report = report_bond(&links, bond);
    else
        failure_set(failure, "%s does not use %s although it was told to", bond_name, port_name);
    links_clear(&links);
    return report;
}

json_t *
verb_use(const Kernel *kernel, const char *bond, const char *port, Failure *failure)
{
    Links links = { 0 };

    if (!links_read(kernel, &links, failure))
        return NULL;
    bool done = check(&links, bond, port, failure) && change(kernel, &links, bond, port, failure);
    links_clear(&links);
    return done ? prove(kernel, bond, port, failure) : NULL;
}
