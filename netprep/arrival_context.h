/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the groups of checks have in common that compare a guest's links with this host's. */
#pragma once

#include "netprep/check_service.h"

typedef struct {
    const NetworkHost *host; /* borrowed */
    NetworkFacts facts;
    /* For the group to read, or NULL. */
    GPtrArray *active; /* of HypervisorNetwork * */
    FunctionInventory *inventory;
    PhysicalNetworks *networks;
} ArrivalContext;

/* Takes @facts over. */
ArrivalContext *arrival_context_new(const NetworkHost *host, NetworkFacts *facts);
void arrival_context_free(void *context);
