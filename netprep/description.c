/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Describes guests and VFs. */
#include "netprep/description.h"

#include "netprep/leak.h"
#include "netprep/vnic_path.h"

static GuestReport *
ask_guest(const NetworkHost *host, const GuestView *view, GError **error)
{
    BondAccess access = bond_access(host, view, NULL);

    return guest_view_check_running(view, error) ? bond_report(&access, error) : NULL;
}

/* Detach refuses a vNIC that cannot travel now; here it is just shown why. */
static void
prove_paths(GuestReport *report, const DomainXml *domain, const GPtrArray *vnics)
{
    for (guint i = 0; report && i < vnics->len; i++) {
        Vnic *vnic = vnics->pdata[i];
        g_autoptr(GError) unfit = NULL;

        if (vnic_path_prove(report, domain, vnic, &unfit))
            continue;
        g_free(vnic->path_reason);
        vnic->path_reason = g_strdup_printf("not now: %s", fault_cause(unfit));
    }
}

json_t *
description_of_guest(const NetworkHost *host, const char *guest, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(host->hypervisor, guest, error);
    g_autoptr(GPtrArray) vnics = view ? vnics_describe(host, view, error) : NULL;
    g_autoptr(GError) silent = NULL;

    if (!vnics)
        return NULL;
    g_autoptr(GuestReport) report = ask_guest(host, view, &silent);
    prove_paths(report, view->live, vnics);
    return json_pack("{s:{s:s, s:s}, s:s, s:o, s:o, s:o, s:b, s:s?, s:s?, s:o}", "guest", "name",
                     view->guest->name, "uuid", view->guest->uuid, "state",
                     guest_state_name(view->guest->state), "vnics", vnics_to_json(vnics),
                     "virtioNics", vnic_path_virtio_to_json(view->live), "bonds",
                     report ? guest_report_bonds_to_json(report) : json_array(), "agent",
                     report != NULL, "agentError", silent ? silent->message : NULL, "steering",
                     report ? guest_steering_name(report->steering) : NULL, "hooks",
                     report ? guest_report_hooks_to_json(report) : json_array());
}

json_t *
description_of_functions(const NetworkHost *host, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey_with_leases(host, error);
    g_autoptr(PhysicalNetworks) networks =
        inventory ? physical_networks_read(host, inventory, error) : NULL;

    if (!networks)
        return NULL;
    json_t *functions = json_array();
    for (guint i = 0; i < inventory->functions->len; i++) {
        const Function *function = inventory->functions->pdata[i];
        g_auto(GStrv) names = physical_networks_of(networks, function->physical_function);

        json_array_append_new(functions, function_to_json(function, (const char *const *)names));
    }
    return json_pack("{s:o}", "functions", functions);
}

json_t *
description_of_networks(const NetworkHost *host, GError **error)
{
    g_autoptr(FunctionInventory) inventory = function_inventory_survey_with_leases(host, error);
    g_autoptr(PhysicalNetworks) networks =
        inventory ? physical_networks_read(host, inventory, error) : NULL;

    return networks ? json_pack("{s:o}", "networks", physical_networks_to_json(networks, inventory))
                    : NULL;
}

json_t *
description_of_leaks(const NetworkHost *host, GError **error)
{
    g_autoptr(GPtrArray) leaks = leaks_survey(host, error);

    if (!leaks)
        return NULL;
    json_t *array = json_array();
    for (guint i = 0; i < leaks->len; i++)
        json_array_append_new(array, leak_to_json(leaks->pdata[i]));
    return json_pack("{s:o}", "leaks", array);
}
