/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repair: gives a bond the options that carry it through a migration. */
#include "netprep/guest/bond.h"
#include "netprep/guest/bond_ports.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

typedef struct {
    const Kernel *kernel;
    BondPorts ports;
    json_t *changes;
    json_t *left; /* what only a bond without ports can be given */
} Repair;

static bool
repair_option(Repair *repair, BondOption option, Failure *failure)
{
    const Link *bond = repair->ports.bond;
    const uint32_t from = bond->bond.options[option];
    const uint32_t to = bond_option_recommend(option, bond->bond.options);
    const bool in_use = repair->ports.primary || repair->ports.backup;

    if (from == to)
        return true;
    json_t *change =
        json_pack("{s:s, s:o, s:o}", "option", bond_option_name(option), "from",
                  bond_option_to_json(option, from), "to", bond_option_to_json(option, to));
    if (option == BOND_OPTION_FAIL_OVER_MAC && in_use) {
        json_object_set_new(change, "remedy",
                            json_string("take the ports out of the bond, set it, and put them in "
                                        "again; the network is down meanwhile"));
        json_array_append_new(repair->left, change);
        return true;
    }
    json_array_append_new(repair->changes, change);
    return bond_set_option(repair->kernel, bond, option, to, failure);
}

static bool
repair_primary(Repair *repair, const Links *links, Failure *failure)
{
    const Link *bond = repair->ports.bond, *primary = repair->ports.primary;
    const Link *before = links_find_index(links, bond->bond.primary);

    if (!primary || bond->bond.primary == primary->index)
        return true;
    json_array_append_new(repair->changes,
                          json_pack("{s:s, s:s?, s:s}", "option", "primary", "from",
                                    before ? before->name : NULL, "to", primary->name));
    return bond_set_primary(repair->kernel, bond, primary, failure);
}

/* The interval comes before the delay in the list, since it is its unit. */
static bool
repair_all(Repair *repair, const Links *links, Failure *failure)
{
    for (BondOption option = 0; option < BOND_OPTION_COUNT; option++) {
        if (!repair_option(repair, option, failure))
            return false;
    }
    return repair_primary(repair, links, failure);
}

static json_t *
report(const Repair *repair, const char *name, Failure *failure)
{
    Links links = { 0 };
    json_t *result = NULL;

    if (!links_read(repair->kernel, &links, failure))
        return NULL;
    const Link *bond = links_find_name(&links, name);
    if (bond)
        result = json_pack("{s:o, s:O, s:O}", "bond", report_bond(&links, bond), "changes",
                           repair->changes, "left", repair->left);
    else
        failure_set(failure, "bond %s vanished", name);
    links_clear(&links);
    return result;
}

static json_t *
run(const Kernel *kernel, const Links *links, const Persist *request, Failure *failure)
{
    Repair repair = { .kernel = kernel, .changes = json_array(), .left = json_array() };
    json_t *result = NULL;

    if (bond_ports_find(links, request->bond, request->primary_path, &repair.ports, failure) &&
        repair_all(&repair, links, failure))
        result = report(&repair, request->bond, failure);
    json_decref(repair.changes);
    json_decref(repair.left);
    return result;
}

json_t *
verb_repair(const Kernel *kernel, const Persist *request, Failure *failure)
{
    Links links = { 0 };

    if (!links_read(kernel, &links, failure))
        return NULL;
    json_t *result = run(kernel, &links, request, failure);
    links_clear(&links);
    if (!result || request->choice == PERSISTENCE_NONE)
        return result;
    json_t *persistence = verb_persist(kernel, request, failure);
    if (persistence)
        json_object_set_new(result, "persistence", persistence);
    else
        json_decref(result);
    return persistence ? result : NULL;
}
