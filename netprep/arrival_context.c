/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/arrival_context.h"

ArrivalContext *
arrival_context_new(const NetworkHost *host, NetworkFacts *facts)
{
    ArrivalContext *context = g_new0(ArrivalContext, 1);

    context->host = host;
    context->facts = *facts;
    *facts = (NetworkFacts) { 0 };
    return context;
}

void
arrival_context_free(void *data)
{
    ArrivalContext *context = data;

    network_facts_clear(&context->facts);
    g_clear_pointer(&context->active, g_ptr_array_unref);
    physical_networks_free(context->networks);
    function_inventory_unref(context->inventory);
    g_free(context);
}
