/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares links of two hosts. */
#include "netprep/likeness_check.h"

#include "netprep/arrival_context.h"
#include "netprep/link_facts.h"

#define HOST "this host"

static CheckReadiness
prepare(void *data, GError **error)
{
    ArrivalContext *context = data;

    if (!context->facts.links || !context->facts.cards) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "facts", NULL,
                  "the guest's host did not tell what its links are like");
        return CHECK_HINDERED;
    }
    context->active = hypervisor_list_networks(context->host->hypervisor, error);
    if (context->active)
        context->inventory = function_inventory_read(context->host->sysfs, NULL, error);
    if (context->inventory)
        context->networks = physical_networks_read(context->host, context->inventory, error);
    return context->networks ? CHECK_READY : CHECK_HINDERED;
}

static const char *
text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value ? value : "";
}

static unsigned
number(const json_t *object, const char *member)
{
    return (unsigned)json_integer_value(json_object_get(object, member));
}

/* What the bridge of @link is called here; "" if its network has none. Borrowed. */
static const char *
name_here(const ArrivalContext *context, const json_t *link)
{
    const char *name = text(link, "network");
    const HypervisorNetwork *network = hypervisor_networks_find(context->active, name);

    if (!*name)
        return text(link, "name");
    return network && network->bridge ? network->bridge : "";
}

/* A bridge that is not there is for network.bridges-there to say. */
static void
check_bridges(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;
    size_t i;
    json_t *link;

    json_array_foreach (context->facts.links, i, link) {
        const char *name = name_here(context, link), *there = text(link, "vlans");
        g_autofree char *object = g_strdup_printf("bridge %s", name);
        g_auto(BridgeFacts) here = { 0 };

        if (!*name || !bridge_facts_read(context->host, name, &here))
            continue;
        if (g_str_equal(here.vlans, there))
            check_pass(report, object, *there ? "leads to VLAN %s, too" : "leads to no VLAN%s",
                       there);
        else
            check_fail(report, object, NULL, "leads to VLAN %s, on the guest's host to %s",
                       *here.vlans ? here.vlans : "none", *there ? there : "none");
    }
}

static void
judge_mtu(const char *object, const char *device, unsigned here, unsigned there,
          CheckReport *report)
{
    g_autofree char *remedy = g_strdup_printf("ip link set %s mtu %u", device, there);

    if (!here || !there)
        check_unknown(report, object, "its MTU is not told on %s",
                      here ? "the guest's host" : "this host");
    else if (here >= there)
        check_pass(report, object, "has MTU %u, on the guest's host %u", here, there);
    else
        check_fail(report, object, remedy, "has MTU %u, on the guest's host %u", here, there);
}

/* The first PF that leads to @network; NULL: none does. Borrowed. */
static const PhysicalFunction *
find_port(const ArrivalContext *context, const char *network)
{
    for (guint i = 0; i < context->inventory->physical_functions->len; i++) {
        const PhysicalFunction *port = context->inventory->physical_functions->pdata[i];

        if (physical_networks_lead(context->networks, network, port->name))
            return port;
    }
    return NULL;
}

static void
check_mtu(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;
    size_t i;
    json_t *entry;

    json_array_foreach (context->facts.links, i, entry) {
        const char *name = name_here(context, entry);
        g_autofree char *object = g_strdup_printf("bridge %s", name);
        g_auto(BridgeFacts) here = { 0 };

        if (*name && bridge_facts_read(context->host, name, &here))
            judge_mtu(object, name, here.mtu, number(entry, "mtu"), report);
    }
    json_array_foreach (context->facts.cards, i, entry) {
        const PhysicalFunction *port = find_port(context, text(entry, "network"));

        if (port) {
            g_autofree char *object = g_strdup_printf("physical function %s", port->name);
            judge_mtu(object, port->name, port->mtu, number(entry, "mtu"), report);
        }
    }
}

static void
check_card(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;
    size_t i;
    json_t *entry;

    json_array_foreach (context->facts.cards, i, entry) {
        const PhysicalFunction *port = find_port(context, text(entry, "network"));
        g_autofree char *here = port ? card_facts_model(context->host, port->address) : NULL;
        const char *there = text(entry, "model");

        if (!port)
            continue;
        g_autofree char *object = g_strdup_printf("physical function %s", port->name);
        if (!here || !*there)
            check_unknown(report, object, "its model is not told");
        else if (g_str_equal(here, there))
            check_pass(report, object, "is a card of model %s, too", here);
        else
            check_fail(report, object, NULL, "is a card of model %s, on the guest's host %s", here,
                       there);
    }
}

/* A board's identity and its firmware have to be the same for QEMU to take a VF's state along; a VF
 * that is exchanged for another one may at least behave otherwise. */
static void
check_firmware(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;
    size_t i;
    json_t *entry;

    json_array_foreach (context->facts.cards, i, entry) {
        const PhysicalFunction *port = find_port(context, text(entry, "network"));
        g_autofree char *here =
            port ? function_control_firmware(context->host->control, port->name) : NULL;
        const char *there = text(entry, "firmware");

        if (!port)
            continue;
        g_autofree char *object = g_strdup_printf("physical function %s", port->name);
        g_autofree char *remedy =
            g_strdup_printf("ethtool -i %s  # update the older card's firmware", port->name);
        if (!here || !*there)
            check_unknown(report, object, "its firmware is not told");
        else if (g_str_equal(here, there))
            check_pass(report, object, "has firmware %s, too", here);
        else
            check_fail(report, object, remedy, "has firmware %s, on the guest's host %s", here,
                       there);
    }
}

static void
check_switch(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;
    size_t i;
    json_t *entry;

    json_array_foreach (context->facts.cards, i, entry) {
        const PhysicalFunction *port = find_port(context, text(entry, "network"));
        const char *there = text(entry, "switchMode");
        const char *here = port ? card_facts_switch_mode(context->host, port->name) : NULL;

        if (!port)
            continue;
        g_autofree char *object = g_strdup_printf("physical function %s", port->name);
        g_autofree char *remedy = g_strdup_printf(
            "devlink dev eswitch set pci/%s mode %s  # while no guest has a VF of it",
            port->address, there);
        if (!*there)
            check_unknown(report, object, "its mode is not told on the guest's host");
        else if (g_str_equal(here, there))
            check_pass(report, object, "is in mode %s, too", here);
        else
            check_fail(report, object, remedy, "is in mode %s, on the guest's host in %s", here,
                       there);
    }
}

CheckGroup
likeness_check(const NetworkHost *host, NetworkFacts *facts)
{
    static const Check checks[] = { { "network.bridges-alike", check_bridges },
                                    { "network.mtu-enough", check_mtu },
                                    { "network.functions-same-card", check_card },
                                    { "network.functions-firmware", check_firmware },
                                    { "network.switch-mode-same", check_switch },
                                    { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare,
                          .context = arrival_context_new(host, facts),
                          .free_context = arrival_context_free };
}
