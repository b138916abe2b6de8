/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what a guest had with what there is here. */
#include "netprep/arrival_check.h"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include "common/number_set.h"
#include "netprep/arrival_context.h"
#include "netprep/sysfs_file.h"

#define HOST "this host"

static CheckReadiness
hinder(GError **error)
{
    fault_set(error, FAULT_INVALID_ARGUMENT, "facts", NULL,
              "the guest's host did not tell what the guest has");
    return CHECK_HINDERED;
}

static CheckReadiness
prepare_networks(void *data, GError **error)
{
    ArrivalContext *context = data;

    if (!context->facts.networks || !context->facts.bridges)
        return hinder(error);
    context->active = hypervisor_list_networks(context->host->hypervisor, error);
    return context->active ? CHECK_READY : CHECK_HINDERED;
}

static void
check_networks(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    for (char **name = context->facts.networks; *name; name++) {
        g_autofree char *object = g_strdup_printf("network '%s'", *name);
        g_autofree char *word = check_word(*name);
        g_autofree char *remedy = g_strdup_printf("virsh net-start %s", word);

        if (hypervisor_networks_find(context->active, *name))
            check_pass(report, object, "is active");
        else
            check_fail(report, object, remedy, "is not active or not defined");
    }
}

/* Attribute @attribute of network device @name; a negative errno if there is none. */
static int
read_link(const char *sysfs, const char *name, const char *attribute, gint64 *ret_value)
{
    g_autofree char *path = g_build_filename(sysfs, "class", "net", name, NULL);
    int directory = sysfs_open(AT_FDCWD, path);

    if (directory < 0)
        return directory;
    int status = sysfs_read_number(directory, attribute, ret_value);
    close(directory);
    return status;
}

static gboolean
is_bridge(const char *sysfs, const char *name)
{
    g_autofree char *path = g_build_filename(sysfs, "class", "net", name, "bridge", NULL);

    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static void
check_bridge(const ArrivalContext *context, const char *name, CheckReport *report)
{
    g_autofree char *object = g_strdup_printf("bridge %s", name);
    const char *sysfs = context->host->sysfs;
    gint64 flags = 0;
    int status = read_link(sysfs, name, "flags", &flags);

    if (sysfs_is_absent(status)) {
        g_autofree char *remedy = g_strdup_printf("ip link add %s type bridge", name);
        check_fail(report, object, remedy, "is not there");
    } else if (status < 0) {
        check_unknown(report, object, "cannot be read: %s", g_strerror(-status));
    } else if (!is_bridge(sysfs, name)) {
        g_autofree char *remedy = g_strdup_printf("ip link set %s name OTHER-NAME", name);
        check_fail(report, object, remedy, "is a network device, but no bridge");
    } else if (flags & IFF_UP) {
        check_pass(report, object, "is up");
    } else {
        g_autofree char *remedy = g_strdup_printf("ip link set %s up", name);
        check_fail(report, object, remedy, "is down");
    }
}

static void
check_bridges(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    for (char **name = context->facts.bridges; *name; name++)
        check_bridge(context, *name, report);
    for (char **name = context->facts.networks; *name; name++) {
        const HypervisorNetwork *network = hypervisor_networks_find(context->active, *name);

        if (network && network->bridge &&
            !g_strv_contains((const char *const *)context->facts.bridges, network->bridge))
            check_bridge(context, network->bridge, report);
    }
}

/* A vNIC of macvtap is on a device of that name, whatever that leads to. */
static void
check_devices(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    if (!context->facts.devices)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    for (char **name = context->facts.devices; name && *name; name++) {
        g_autofree char *object = g_strdup_printf("network device %s", *name);
        g_autofree char *remedy = g_strdup_printf("ip link set %s up", *name);
        gint64 flags = 0;
        int status = read_link(context->host->sysfs, *name, "flags", &flags);

        if (sysfs_is_absent(status))
            check_fail(report, object, "virsh edit GUEST  # a libvirt network instead of a device",
                       "is not there, and a vNIC is on it by macvtap");
        else if (status < 0)
            check_unknown(report, object, "cannot be read: %s", g_strerror(-status));
        else if (flags & IFF_UP)
            check_pass(report, object, "is up");
        else
            check_fail(report, object, remedy, "is down, and a vNIC is on it by macvtap");
    }
}

static void
check_sockets(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    if (!context->facts.sockets)
        check_unknown(report, HOST, CHECK_NOT_TOLD);
    for (char **path = context->facts.sockets; path && *path; path++) {
        g_autofree char *object = g_strdup_printf("socket '%s'", *path);
        g_autofree char *here = g_strconcat(context->host->root, *path, NULL);

        if (g_file_test(here, G_FILE_TEST_EXISTS))
            check_pass(report, object, "is there");
        else
            check_fail(report, object, NULL,
                       "is not there, and a vNIC connects to it (vhost-user)");
    }
}

CheckGroup
arrival_check_networks(const NetworkHost *host, NetworkFacts *facts)
{
    static const Check checks[] = { { "network.networks-there", check_networks },
                                    { "network.bridges-there", check_bridges },
                                    { "network.devices-there", check_devices },
                                    { "network.sockets-there", check_sockets },
                                    { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare_networks,
                          .context = arrival_context_new(host, facts),
                          .free_context = arrival_context_free };
}

static CheckReadiness
prepare_functions(void *data, GError **error)
{
    ArrivalContext *context = data;

    if (!context->facts.vnics)
        return hinder(error);
    if (context->facts.vnics->len == 0)
        return CHECK_NOTHING;
    context->inventory = function_inventory_survey_with_leases(context->host, error);
    if (context->inventory)
        context->networks = physical_networks_read(context->host, context->inventory, error);
    return context->networks ? CHECK_READY : CHECK_HINDERED;
}

/* How many vNICs the guest has on @network; 0 if an earlier one than @first is there already. */
static guint
count_wanted(const GPtrArray *vnics, const char *network, guint first)
{
    guint count = 0;

    for (guint i = 0; i < vnics->len; i++) {
        const Vnic *vnic = vnics->pdata[i];

        if (g_strcmp0(vnic->physical_network, network) != 0)
            continue;
        if (i < first)
            return 0;
        count++;
    }
    return count;
}

static void
count_free(const ArrivalContext *context, const char *network, guint *ret_free, guint *ret_total)
{
    *ret_free = *ret_total = 0;
    for (guint i = 0; i < context->inventory->functions->len; i++) {
        const Function *function = context->inventory->functions->pdata[i];

        if (!physical_networks_lead(context->networks, network, function->physical_function))
            continue;
        (*ret_total)++;
        if (function->state == FUNCTION_STATE_FREE && function_has_carrier(function))
            (*ret_free)++;
    }
}

static void
check_network_functions(const ArrivalContext *context, const char *network, guint wanted,
                        CheckReport *report)
{
    g_autofree char *object = g_strdup_printf("physical network '%s'", network);
    guint free_count, total;

    if (!physical_networks_contain(context->networks, network)) {
        check_fail(
            report, object,
            "virsh net-list --all  # define one of that name with <forward mode='hostdev'>, or "
            "name its PFs in /etc/migprep/migprep.conf",
            "is not known on this host");
        return;
    }
    count_free(context, network, &free_count, &total);
    if (free_count >= wanted)
        check_pass(report, object, "%u of its %u VFs are free with a link, the guest needs %u",
                   free_count, total, wanted);
    else
        check_fail(report, object, NULL,
                   "%u of its %u VFs are free with a link, the guest needs %u", free_count, total,
                   wanted);
}

static void
check_functions(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    for (guint i = 0; i < context->facts.vnics->len; i++) {
        const Vnic *vnic = context->facts.vnics->pdata[i];
        guint wanted = count_wanted(context->facts.vnics, vnic->physical_network, i);

        if (vnic->physical_network && wanted > 0) {
            check_network_functions(context, vnic->physical_network, wanted, report);
        } else if (!vnic->physical_network) {
            g_autofree char *object = vnic_label(vnic);
            check_fail(report, object,
                       "virsh net-list --all  # on the guest's host: name its PF in "
                       "/etc/migprep/migprep.conf",
                       "belongs to no physical network, so that its place here is not known");
        }
    }
}

/* Any VF of @network: all that its driver reports of one it reports of the others. */
static const Function *
find_sample(const ArrivalContext *context, const char *network)
{
    for (guint i = 0; network && i < context->inventory->functions->len; i++) {
        const Function *function = context->inventory->functions->pdata[i];

        if (physical_networks_lead(context->networks, network, function->physical_function))
            return function;
    }
    return NULL;
}

/* What @vnic has switched on and the driver of a VF with settings @here does not know. */
static char *
find_lacking(const Vnic *vnic, const FunctionSettings *here)
{
    const struct {
        FunctionOption option;
        gboolean on;
        const char *name;
    } switches[] = {
        { FUNCTION_OPTION_SPOOF_CHECK, vnic->settings.spoof_check, "spoof check" },
        { FUNCTION_OPTION_TRUST, vnic->settings.trust, "trust" },
        { FUNCTION_OPTION_RSS_QUERY, vnic->settings.rss_query, "RSS query" },
    };
    GString *lacking = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (switches[i].on && here->unreported & FUNCTION_OPTION_BIT(switches[i].option))
            g_string_append_printf(lacking, "%s%s", lacking->len ? ", " : "", switches[i].name);
    }
    return g_string_free(lacking, FALSE);
}

static void
check_vnic_settings(const ArrivalContext *context, const Vnic *vnic, const Function *sample,
                    CheckReport *report)
{
    g_autofree char *object = vnic_label(vnic);
    FunctionSettings here;
    g_autoptr(GError) error = NULL;

    if (!function_settings_read(context->host->control, sample->physical_function, sample->index,
                                &here, &error)) {
        check_unknown(report, object, "%s", error->message);
        return;
    }
    g_autofree char *lacking = find_lacking(vnic, &here);
    g_autofree char *remedy =
        g_strdup_printf("ethtool -i %s  # update its driver, or use cards of the same kind",
                        sample->physical_function);
    if (*lacking)
        check_fail(report, object, remedy, "the driver of %s here does not know its %s",
                   sample->physical_function, lacking);
    else
        check_pass(report, object, "the driver of %s here knows all that it has set",
                   sample->physical_function);
}

static void
check_settings(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    for (guint i = 0; i < context->facts.vnics->len; i++) {
        const Vnic *vnic = context->facts.vnics->pdata[i];
        const Function *sample = find_sample(context, vnic->physical_network);

        if (sample)
            check_vnic_settings(context, vnic, sample, report);
    }
}

/* What the guest's host told of the driver of its card for @network; NULL: nothing. */
static const char *
find_driver(const ArrivalContext *context, const char *network)
{
    size_t i;
    json_t *card;

    json_array_foreach (context->facts.cards, i, card) {
        if (g_strcmp0(json_string_value(json_object_get(card, "network")), network) == 0)
            return json_string_value(json_object_get(card, "driver"));
    }
    return NULL;
}

/* No driver tells whether it knows limits, but it refuses those above the speed of its link. */
static void
judge_rates(const ArrivalContext *context, const Vnic *vnic, const char *port, CheckReport *report)
{
    g_autofree char *object = vnic_label(vnic);
    g_autofree char *driver = function_control_driver(context->host->control, port);
    unsigned rate = MAX(vnic->settings.minimum_rate, vnic->settings.maximum_rate);
    gint64 speed = 0;

    if (rate == 0)
        check_pass(report, object, "has no limit of its rate");
    else if (read_link(context->host->sysfs, port, "speed", &speed) < 0 || speed <= 0)
        check_unknown(report, object, "is limited to %u Mbit/s, and the speed of %s is not told",
                      rate, port);
    else if (rate > (guint64)speed)
        check_fail(report, object, NULL,
                   "is limited to %u Mbit/s, and %s here has %" G_GINT64_FORMAT, rate, port, speed);
    else if (g_strcmp0(driver, find_driver(context, vnic->physical_network)) != 0)
        check_unknown(report, object, "is limited to %u Mbit/s, which driver %s here may not know",
                      rate, driver ? driver : "of another kind");
    else
        check_pass(report, object, "is limited to %u Mbit/s, of %" G_GINT64_FORMAT " that %s has",
                   rate, speed, port);
}

static void
check_rates(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;

    for (guint i = 0; i < context->facts.vnics->len; i++) {
        const Vnic *vnic = context->facts.vnics->pdata[i];
        const Function *sample = find_sample(context, vnic->physical_network);

        if (sample)
            judge_rates(context, vnic, sample->physical_function, report);
    }
}

/* Free VFs of @network whose card is at a memory node of @nodes, or at none in particular. */
static guint
count_near(const ArrivalContext *context, const char *network)
{
    guint count = 0;

    for (guint i = 0; i < context->inventory->functions->len; i++) {
        const Function *function = context->inventory->functions->pdata[i];
        int node = function->port->numa_node;

        if (function->state == FUNCTION_STATE_FREE && function_has_carrier(function) &&
            physical_networks_lead(context->networks, network, function->physical_function) &&
            (node < 0 || number_set_contains(context->facts.memory_nodes, (unsigned)node)))
            count++;
    }
    return count;
}

static void
check_near(void *data, CheckReport *report)
{
    const ArrivalContext *context = data;
    const char *nodes = context->facts.memory_nodes;

    for (guint i = 0; nodes && i < context->facts.vnics->len; i++) {
        const char *network = ((const Vnic *)context->facts.vnics->pdata[i])->physical_network;
        guint wanted = network ? count_wanted(context->facts.vnics, network, i) : 0;
        guint near = wanted ? count_near(context, network) : 0;
        g_autofree char *object = g_strdup_printf("physical network '%s'", network ? network : "");

        if (wanted && near >= wanted)
            check_pass(report, object,
                       "%u VFs are free at memory node %s, where the guest is to be", near, nodes);
        else if (wanted)
            check_fail(
                report, object, NULL,
                "%u VFs are free at memory node %s, where the guest is to be, and it needs %u",
                near, nodes, wanted);
    }
}

CheckGroup
arrival_check_functions(const NetworkHost *host, NetworkFacts *facts)
{
    static const Check checks[] = { { "network.functions-free", check_functions },
                                    { "network.functions-settings-supported", check_settings },
                                    { "network.functions-rates", check_rates },
                                    { "network.functions-near", check_near },
                                    { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare_functions,
                          .context = arrival_context_new(host, facts),
                          .free_context = arrival_context_free };
}
