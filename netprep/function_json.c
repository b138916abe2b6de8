/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The type Function of io.migprep.Network. */
#include "netprep/function_inventory.h"
#include "netprep/iommu_group.h"

static const char *
state_name(FunctionState state)
{
    switch (state) {
    case FUNCTION_STATE_FREE:
        return "free";
    case FUNCTION_STATE_RESERVED:
        return "reserved";
    case FUNCTION_STATE_GUEST:
        return "guest";
    case FUNCTION_STATE_HOST:
        return "host";
    case FUNCTION_STATE_FOREIGN:
        return "foreign";
    case FUNCTION_STATE_UNFIT:
        return "unfit";
    }
    g_return_val_if_reached("foreign");
}

json_t *
function_to_json(const Function *function, const char *const *networks)
{
    json_t *names = json_array();
    int numa_node = function->port->numa_node;

    for (gsize i = 0; networks[i]; i++)
        json_array_append_new(names, json_string(networks[i]));
    return json_pack(
        "{s:s, s:s, s:i, s:o, s:s, s:s?, s:s?, s:s?, s:o, s:o}", "address", function->address,
        "physicalFunction", function->physical_function, "index", (int)function->index,
        "physicalNetworks", names, "state", state_name(function->state), "holder", function->holder,
        "reason", function->reason, "driver", function->driver, "iommuGroup",
        function->iommu_group == IOMMU_GROUP_NONE ? json_null()
                                                  : json_integer(function->iommu_group),
        "numaNode", numa_node < 0 ? json_null() : json_integer(numa_node));
}
