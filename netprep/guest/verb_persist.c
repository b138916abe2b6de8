/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* persist and unpersist: a bond that is there is made to come back at boot, or no more. */
#include "netprep/guest/bond_ports.h"
#include "netprep/guest/layer3.h"
#include "netprep/guest/verbs.h"

#include <string.h>

static json_t *
write(PersistenceChoice choice, const BondPlan *plan, Failure *failure)
{
    Persistence *persistence = persistence_prepare(choice, plan, failure);
    json_t *result = NULL;

    if (persistence && persistence_write(persistence, failure))
        result = persistence_finish(persistence);
    persistence_free(persistence);
    return result;
}

static json_t *
persist(const Kernel *kernel, const BondPorts *ports, const Persist *request, Failure *failure)
{
    Layer3 *layer3 = NULL;
    json_t *result = NULL;
    BondPlan plan;

    if (!ports->primary || !ports->backup)
        failure_set(failure, "%s has no %s now, which its files have to name", request->bond,
                    ports->primary ? "VirtIO device" : "passthrough device");
    else
        layer3 = layer3_read(kernel, &ports->bond, 1, failure);
    if (layer3) {
        bond_plan_init(&plan, request->root, request->bond, ports->primary, ports->backup,
                       ports->backup, layer3);
        memcpy(plan.options, ports->bond->bond.options, sizeof(plan.options));
        link_print_mac(ports->bond->mac, plan.mac);
        result = write(request->choice, &plan, failure);
    }
    layer3_free(layer3);
    return result;
}

json_t *
verb_persist(const Kernel *kernel, const Persist *request, Failure *failure)
{
    BondPorts ports = { 0 };
    Links links = { 0 };
    json_t *result = NULL;

    if (!links_read(kernel, &links, failure))
        return NULL;
    if (bond_ports_find(&links, request->bond, request->primary_path, &ports, failure))
        result = persist(kernel, &ports, request, failure);
    links_clear(&links);
    return result;
}

json_t *
verb_unpersist(const char *root, const char *bond, Failure *failure)
{
    return persistence_remove(root, bond, failure);
}
