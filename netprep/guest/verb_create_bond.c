/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create-bond: puts a passthrough device and a VirtIO device into one bond. */
#include <string.h>

#include "netprep/guest/bond.h"
#include "netprep/guest/layer3.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

/*
 * Theory of operation. A device loses its addresses and routes when it becomes a port, so they are
 * read first, taken off the devices, and given to the bond once it is up. If anything fails, the
 * bond is deleted, which sets its ports free, and each device gets back what it had. The VirtIO
 * device goes in first: its MAC is the one that stays while the other device comes and goes.
 */
typedef struct {
    const char *name;
    Links links; /* before any change */
    const Link *primary;
    const Link *backup;
    Layer3 *primary_layer3;
    Layer3 *backup_layer3;
    Links now; /* with the bond */
    const Link *bond;
    bool existed;
} Creation;

static void
creation_clear(Creation *creation)
{
    layer3_free(creation->primary_layer3);
    layer3_free(creation->backup_layer3);
    links_clear(&creation->links);
    links_clear(&creation->now);
}

static bool
has_ports(const Links *links, const Link *bond)
{
    for (size_t i = 0; i < links->count; i++) {
        if (links->items[i].master == bond->index)
            return true;
    }
    return false;
}

static bool
find_devices(Creation *creation, const char *primary_path, const uint8_t *backup_mac,
             Failure *failure)
{
    if (!links_read(&creation->links, failure))
        return false;
    creation->primary = links_find_path(&creation->links, primary_path);
    creation->backup = links_find_mac(&creation->links, backup_mac);
    if (!creation->primary)
        failure_set(failure, "there is no network device at PCI path %s", primary_path);
    else if (!creation->backup || creation->backup == creation->primary)
        failure_set(failure, "there is no other network device with the backup's MAC address");
    else
        return true;
    return false;
}

/* Whether the bond is there already, with both ports. */
static bool
is_there(const Creation *creation)
{
    const Link *bond = links_find_name(&creation->links, creation->name);

    return bond && bond->is_bond && bond->bond.mode == LINK_MODE_BACKUP &&
           creation->primary->master == bond->index && creation->backup->master == bond->index;
}

static bool
check_unused(const Creation *creation, Failure *failure)
{
    const Link *known = links_find_name(&creation->links, creation->name);

    if (known && (!known->is_bond || has_ports(&creation->links, known)))
        failure_set(failure, "%s exists and is in use", creation->name);
    else if (creation->primary->master)
        failure_set(failure, "%s is already a port of another device", creation->primary->name);
    else if (creation->backup->master)
        failure_set(failure, "%s is already a port of another device", creation->backup->name);
    else
        return true;
    return false;
}

static bool
create(Creation *creation, Failure *failure)
{
    const Link *known = links_find_name(&creation->links, creation->name);

    if (known && !link_set_up(known, false, failure))
        return false;
    if (!bond_create(creation->name, creation->backup->permanent_mac, &creation->existed,
                     failure) ||
        !links_read(&creation->now, failure))
        return false;
    creation->bond = links_find_name(&creation->now, creation->name);
    if (!creation->bond)
        failure_set(failure, "bond %s vanished again", creation->name);
    return creation->bond != NULL;
}

static bool
read_layer3(Creation *creation, Failure *failure)
{
    creation->primary_layer3 = layer3_read(creation->primary, failure);
    creation->backup_layer3 =
        creation->primary_layer3 ? layer3_read(creation->backup, failure) : NULL;
    return creation->backup_layer3 != NULL;
}

static bool
fill(Creation *creation, Failure *failure)
{
    return layer3_remove(creation->primary_layer3, creation->primary, failure) &&
           layer3_remove(creation->backup_layer3, creation->backup, failure) &&
           bond_enslave(creation->bond, creation->backup, failure) &&
           link_set_up(creation->bond, true, failure) &&
           bond_enslave(creation->bond, creation->primary, failure) &&
           bond_set_primary(creation->bond, creation->primary, failure) &&
           layer3_add(creation->backup_layer3, creation->bond, failure) &&
           layer3_add(creation->primary_layer3, creation->bond, failure);
}

static void
put_back(const Link *link, const Layer3 *layer3, Failure *failure)
{
    if (link->up && link_set_up(link, true, failure))
        layer3_add(layer3, link, failure);
}

/* What fails here adds nothing to the first failure, which is the one reported. */
static void
undo(Creation *creation, Failure *failure)
{
    if (creation->bond)
        bond_delete(creation->bond, failure);
    if (!creation->backup_layer3)
        return;
    put_back(creation->backup, creation->backup_layer3, failure);
    put_back(creation->primary, creation->primary_layer3, failure);
}

static json_t *
report(const char *name, Failure *failure)
{
    Links links = { 0 };
    json_t *report = NULL;

    if (!links_read(&links, failure))
        return NULL;
    const Link *bond = links_find_name(&links, name);
    if (bond)
        report = report_bond(&links, bond);
    else
        failure_set(failure, "bond %s vanished again", name);
    links_clear(&links);
    return report;
}

static bool
make(Creation *creation, Failure *failure)
{
    if (is_there(creation))
        return true;
    if (!check_unused(creation, failure) || !read_layer3(creation, failure))
        return false;
    if (create(creation, failure) && fill(creation, failure))
        return true;
    undo(creation, failure);
    return false;
}

json_t *
verb_create_bond(const char *bond, const char *primary_path, const uint8_t *backup_mac,
                 Failure *failure)
{
    Creation creation = { .name = bond };
    bool made =
        find_devices(&creation, primary_path, backup_mac, failure) && make(&creation, failure);

    creation_clear(&creation);
    return made ? report(bond, failure) : NULL;
}
