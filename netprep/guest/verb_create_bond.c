/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create-bond: puts a passthrough device and a VirtIO device into one bond. */
#include <string.h>

#include "netprep/guest/bond.h"
#include "netprep/guest/layer3.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

/*
 * Theory of operation. A device loses its addresses and routes when it becomes a port, so they are
 * read first and given to the bond as soon as it carries traffic. The VirtIO device goes in first:
 * its MAC address is the bond's, since it stays while the function comes and goes. The time without
 * addresses is that of steps 2 to 5, all of them requests to the kernel; connections outlive it.
 * The function goes in last. If a step fails, the bond goes, which sets its ports free, and both
 * devices get back what they had, and so does the configuration for the
 * next boot, which was planned before the first step and is written after the last one.
 */
typedef struct {
    const Kernel *kernel;
    const CreateBond *request;
    Links links; /* before any change */
    const Link *primary;
    const Link *backup;
    const Link *known; /* a bond of that name that was there, unused; or NULL */
    Layer3 *layer3;    /* of backup and primary, in that order */
    BondPlan plan;     /* for the next boot */
    Persistence *persistence;
    Links now; /* with the bond */
    const Link *bond;
} Creation;

static void
creation_clear(Creation *creation)
{
    persistence_free(creation->persistence);
    layer3_free(creation->layer3);
    links_clear(&creation->links);
    links_clear(&creation->now);
}

static bool
find_devices(Creation *creation, Failure *failure)
{
    const CreateBond *request = creation->request;

    if (!links_read(creation->kernel, &creation->links, failure))
        return false;
    creation->primary = links_find_path(&creation->links, request->primary_path);
    creation->backup = links_find_mac(&creation->links, request->backup_mac, creation->primary);
    creation->known = links_find_name(&creation->links, request->bond);
    if (!creation->primary)
        failure_set(failure, "there is no network device at PCI path %s", request->primary_path);
    else if (!creation->backup)
        failure_set(failure, "there is no other network device with the backup's MAC address");
    else
        return true;
    return false;
}

/* Whether the bond is there already, with both ports. */
static bool
is_there(const Creation *creation)
{
    const Link *bond = creation->known;

    return bond && bond->is_bond && bond->bond.options[BOND_OPTION_MODE] == BOND_MODE_BACKUP &&
           creation->primary->master == bond->index && creation->backup->master == bond->index;
}

/* A VLAN or macvlan would go on sending by the device it stands on, past the bond. */
static bool
check_free(const Creation *creation, const Link *device, Failure *failure)
{
    if (device->master) {
        failure_set(failure, "%s is already a port of another device; take it out of that first",
                    device->name);
        return false;
    }
    for (size_t i = 0; i < creation->links.count; i++) {
        if (creation->links.items[i].lower != device->index)
            continue;
        failure_set(failure, "%s stands on %s; set it up again on the bond, and remove it first",
                    creation->links.items[i].name, device->name);
        return false;
    }
    return true;
}

/* Such a bond came with the kernel module, or is left over. */
static bool
is_unused(const Creation *creation, const Link *bond, Failure *failure)
{
    if (!bond->is_bond || bond->up || links_find_port(&creation->links, bond, 0))
        return false;
    Layer3 *layer3 = layer3_read(creation->kernel, &bond, 1, failure);
    bool unused = layer3 && !layer3_has_addresses(layer3, 0);

    layer3_free(layer3);
    return unused;
}

static bool
check(const Creation *creation, Failure *failure)
{
    const Link *known = creation->known;

    if (known && !is_unused(creation, known, failure)) {
        failure_set(failure, "%s exists and is in use; choose another name", known->name);
        return false;
    }
    return check_free(creation, creation->primary, failure) &&
           check_free(creation, creation->backup, failure);
}

/* Both ports get the bond's MTU: that of the device with the addresses, whose peers count on it. */
static unsigned
choose_mtu(const Creation *creation)
{
    const bool backup = layer3_has_addresses(creation->layer3, 0);
    const bool primary = layer3_has_addresses(creation->layer3, 1);

    if (backup != primary)
        return backup ? creation->backup->mtu : creation->primary->mtu;
    return creation->backup->mtu > creation->primary->mtu ? creation->backup->mtu
                                                          : creation->primary->mtu;
}

static bool
create(Creation *creation, Failure *failure)
{
    const CreateBond *request = creation->request;
    /* The delay would hold up the first port, too. It is set when that is in use. */
    const uint32_t options[BOND_OPTION_COUNT] = {
        [BOND_OPTION_MODE] = BOND_MODE_BACKUP,
        [BOND_OPTION_FAIL_OVER_MAC] = request->fail_over_mac,
        [BOND_OPTION_MONITOR_INTERVAL] = BOND_MONITOR_INTERVAL_MSEC,
        [BOND_OPTION_GRATUITOUS_ARP] = BOND_GRATUITOUS_ARP,
        [BOND_OPTION_PRIMARY_RESELECT] = BOND_PRIMARY_RESELECT,
    };
    const BondSettings settings = { .mac = creation->backup->permanent_mac,
                                    .mtu = choose_mtu(creation),
                                    .options = options };
    bool existed;

    if (!bond_create(creation->kernel, request->bond, &settings, &existed, failure) ||
        !links_read(creation->kernel, &creation->now, failure))
        return false;
    creation->bond = links_find_name(&creation->now, request->bond);
    if (!creation->bond)
        failure_set(failure, "bond %s vanished again", request->bond);
    return creation->bond != NULL;
}

static bool
take_layer3(Creation *creation, Failure *failure)
{
    return layer3_remove(creation->kernel, creation->layer3, failure);
}

static bool
enslave_backup(Creation *creation, Failure *failure)
{
    return bond_enslave(creation->kernel, creation->bond, creation->backup, failure);
}

static bool
bring_up(Creation *creation, Failure *failure)
{
    return link_set_up(creation->kernel, creation->bond, true, failure);
}

static bool
give_layer3(Creation *creation, Failure *failure)
{
    return layer3_move(creation->kernel, creation->layer3, creation->bond, failure);
}

static bool
set_up_delay(Creation *creation, Failure *failure)
{
    return bond_set_option(creation->kernel, creation->bond, BOND_OPTION_UP_DELAY,
                           BOND_UP_DELAY_MSEC, failure);
}

static bool
enslave_primary(Creation *creation, Failure *failure)
{
    return bond_enslave(creation->kernel, creation->bond, creation->primary, failure);
}

static bool
prefer_primary(Creation *creation, Failure *failure)
{
    return bond_set_primary(creation->kernel, creation->bond, creation->primary, failure);
}

static bool
write_files(Creation *creation, Failure *failure)
{
    return persistence_write(creation->persistence, failure);
}

typedef bool (*Step)(Creation *creation, Failure *failure);

static const Step steps[] = { create,          take_layer3,    enslave_backup,
                              bring_up,        give_layer3,    set_up_delay,
                              enslave_primary, prefer_primary, write_files };

/* A bond that was there before is emptied, not deleted. */
static void
put_back_known(const Creation *creation, Failure *failure)
{
    const Link *known = creation->known;
    const BondSettings before = { .mac = known->mac,
                                  .mtu = known->mtu,
                                  .options = known->bond.options };
    Layer3 *given = layer3_read(creation->kernel, &known, 1, failure);

    if (given)
        layer3_remove(creation->kernel, given, failure);
    layer3_free(given);
    bond_release(creation->kernel, creation->primary, failure);
    bond_release(creation->kernel, creation->backup, failure);
    link_set_up(creation->kernel, known, false, failure);
    bond_configure(creation->kernel, known, &before, failure);
}

/* The bond may be there although creating it seemed to fail: an answer can be lost. */
static void
remove_bond(Creation *creation, Failure *failure)
{
    if (!creation->bond) {
        links_clear(&creation->now);
        if (links_read(creation->kernel, &creation->now, failure))
            creation->bond = links_find_name(&creation->now, creation->request->bond);
    }
    if (creation->known)
        put_back_known(creation, failure);
    else if (creation->bond)
        bond_delete(creation->kernel, creation->bond, failure);
}

static void
undo(Creation *creation, Failure *failure)
{
    persistence_undo(creation->persistence, failure);
    remove_bond(creation, failure);
    link_set_up(creation->kernel, creation->backup, creation->backup->up, failure);
    link_set_up(creation->kernel, creation->primary, creation->primary->up, failure);
    layer3_restore(creation->kernel, creation->layer3, failure);
}

/* Reads and plans all that the steps need. */
static bool
prepare(Creation *creation, Failure *failure)
{
    const CreateBond *request = creation->request;
    const Link *devices[] = { creation->backup, creation->primary };

    if (!check(creation, failure) ||
        !(creation->layer3 = layer3_read(creation->kernel, devices, 2, failure)))
        return false;
    const bool owned =
        !layer3_has_addresses(creation->layer3, 0) && layer3_has_addresses(creation->layer3, 1);
    bond_plan_init(&creation->plan, request->root, request->bond, creation->primary,
                   creation->backup, owned ? creation->primary : creation->backup,
                   creation->layer3);
    creation->plan.mtu = choose_mtu(creation);
    creation->plan.options[BOND_OPTION_FAIL_OVER_MAC] = request->fail_over_mac;
    creation->persistence = persistence_prepare(request->choice, &creation->plan, failure);
    return creation->persistence != NULL;
}

static bool
make(Creation *creation, Failure *failure)
{
    bool done = true;

    if (!prepare(creation, failure))
        return false;
    for (size_t i = 0; done && i < sizeof(steps) / sizeof(steps[0]); i++)
        done = steps[i](creation, failure);
    if (!done)
        undo(creation, failure); /* what fails there is not the cause, which is told already */
    return done;
}

/* For a bond that was there: its files may be missing still. */
static json_t *
persist(const Kernel *kernel, const CreateBond *request, Failure *failure)
{
    const Persist wanted = { .bond = request->bond,
                             .primary_path = request->primary_path,
                             .choice = request->choice,
                             .root = request->root };

    return verb_persist(kernel, &wanted, failure);
}

static json_t *
report(const Kernel *kernel, const char *name, json_t *persistence, Failure *failure)
{
    Links links = { 0 };
    json_t *report = NULL;

    if (links_read(kernel, &links, failure)) {
        const Link *bond = links_find_name(&links, name);

        if (bond)
            report = report_bond(&links, bond);
        else
            failure_set(failure, "bond %s vanished again", name);
    }
    links_clear(&links);
    if (report)
        json_object_set(report, "persistence", persistence);
    json_decref(persistence);
    return report;
}

json_t *
verb_create_bond(const Kernel *kernel, const CreateBond *request, Failure *failure)
{
    Creation creation = { .kernel = kernel, .request = request };
    json_t *persistence = NULL;

    if (find_devices(&creation, failure)) {
        if (is_there(&creation))
            persistence = persist(kernel, request, failure);
        else if (make(&creation, failure))
            persistence = persistence_finish(creation.persistence);
    }
    creation_clear(&creation);
    return persistence ? report(kernel, request->bond, persistence, failure) : NULL;
}
