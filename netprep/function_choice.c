/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses among free VFs. */
#include "netprep/function_choice.h"

#include "netprep/pool_port.h"

FunctionChoice *
function_choice_new(const NetworkHost *host, GError **error)
{
    g_autoptr(FunctionChoice) choice = g_new0(FunctionChoice, 1);

    choice->inventory = function_inventory_survey_with_leases(host, error);
    if (choice->inventory)
        choice->networks = physical_networks_read(host, choice->inventory, error);
    if (choice->networks)
        choice->taken = pool_ports_taken(host, error);
    return choice->taken ? g_steal_pointer(&choice) : NULL;
}

void
function_choice_free(FunctionChoice *choice)
{
    if (!choice)
        return;
    g_clear_pointer(&choice->taken, g_hash_table_unref);
    physical_networks_free(choice->networks);
    function_inventory_unref(choice->inventory);
    g_free(choice);
}

static gboolean
is_fit(const FunctionChoice *choice, const char *network, const Function *function)
{
    return function->state == FUNCTION_STATE_FREE && function_has_carrier(function) &&
           !g_hash_table_contains(choice->taken, function->address) &&
           physical_networks_lead(choice->networks, network, function->physical_function);
}

static const Function *
find(const FunctionChoice *choice, const char *network)
{
    const Function *spare = NULL;

    for (guint i = 0; i < choice->inventory->functions->len; i++) {
        const Function *function = choice->inventory->functions->pdata[i];

        if (!is_fit(choice, network, function))
            continue;
        if (!function->holder)
            return function;
        if (!spare)
            spare = function;
    }
    return spare;
}

static void
set_none_free(const FunctionChoice *choice, const char *network, guint wanted, GError **error)
{
    g_autofree char *label = g_strdup_printf("physical network '%s'", network);
    const GPtrArray *functions = choice->inventory->functions;
    guint total = 0, free_count = 0, cut_off = 0;
    const char *cut_off_port = NULL;

    for (guint i = 0; i < functions->len; i++) {
        const Function *function = functions->pdata[i];

        if (!physical_networks_lead(choice->networks, network, function->physical_function))
            continue;
        total++;
        if (function->state != FUNCTION_STATE_FREE)
            continue;
        if (function_has_carrier(function)) {
            free_count++;
        } else {
            cut_off++;
            cut_off_port = function->physical_function;
        }
    }
    if (!physical_networks_contain(choice->networks, network))
        fault_set(
            error, FAULT_NO_FREE_FUNCTION, label,
            "define a libvirt network of that name with <forward mode='hostdev'>, or name its "
            "PFs in /etc/migprep/migprep.conf",
            "is not known on this host");
    else if (cut_off)
        fault_set(error, FAULT_NO_FREE_FUNCTION, label,
                  "set the PF up and check its cable and its port at the switch",
                  "%u of its %u VFs are free, but the guest needs %u in all; %u more are free on "
                  "PFs without a link, such as %s",
                  free_count, total, wanted, cut_off, cut_off_port);
    else
        fault_set(error, FAULT_NO_FREE_FUNCTION, label,
                  "release a lease (see `migprep status`), free a VF, or add VFs to its PFs",
                  "%u of its %u VFs are free, but the guest needs %u in all", free_count, total,
                  wanted);
}

const Function *
function_choice_next(FunctionChoice *choice, const char *network, guint wanted, GError **error)
{
    const Function *function = find(choice, network);

    if (function)
        g_hash_table_add(choice->taken, g_strdup(function->address));
    else
        set_none_free(choice, network, wanted, error);
    return function;
}
