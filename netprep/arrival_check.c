/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what a guest had with what there is here. */
#include "netprep/arrival_check.h"

#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include "netprep/sysfs_file.h"

#define HOST "this host"

typedef struct {
    const NetworkHost *host; /* borrowed */
    NetworkFacts facts;
    GPtrArray *active; /* of HypervisorNetwork * */
    FunctionInventory *inventory;
    PhysicalNetworks *networks;
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    network_facts_clear(&context->facts);
    g_clear_pointer(&context->active, g_ptr_array_unref);
    physical_networks_free(context->networks);
    function_inventory_unref(context->inventory);
    g_free(context);
}

static Context *
context_new(const NetworkHost *host, NetworkFacts *facts)
{
    Context *context = g_new0(Context, 1);

    context->host = host;
    context->facts = *facts;
    *facts = (NetworkFacts) { 0 };
    return context;
}

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
    Context *context = data;

    if (!context->facts.networks || !context->facts.bridges)
        return hinder(error);
    context->active = hypervisor_list_networks(context->host->hypervisor, error);
    return context->active ? CHECK_READY : CHECK_HINDERED;
}

static void
check_networks(void *data, CheckReport *report)
{
    const Context *context = data;

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

/* The flags of network device @name; a negative errno if there is none. */
static int
read_flags(const char *sysfs, const char *name, gint64 *ret_flags)
{
    g_autofree char *path = g_build_filename(sysfs, "class", "net", name, NULL);
    int directory = sysfs_open(AT_FDCWD, path);

    if (directory < 0)
        return directory;
    int status = sysfs_read_number(directory, "flags", ret_flags);
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
check_bridge(const Context *context, const char *name, CheckReport *report)
{
    g_autofree char *object = g_strdup_printf("bridge %s", name);
    const char *sysfs = context->host->sysfs;
    gint64 flags = 0;
    int status = read_flags(sysfs, name, &flags);

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
    const Context *context = data;

    for (char **name = context->facts.bridges; *name; name++)
        check_bridge(context, *name, report);
    for (char **name = context->facts.networks; *name; name++) {
        const HypervisorNetwork *network = hypervisor_networks_find(context->active, *name);

        if (network && network->bridge &&
            !g_strv_contains((const char *const *)context->facts.bridges, network->bridge))
            check_bridge(context, network->bridge, report);
    }
}

CheckGroup
arrival_check_networks(const NetworkHost *host, NetworkFacts *facts)
{
    static const Check checks[] = { { "network.networks-there", check_networks },
                                    { "network.bridges-there", check_bridges },
                                    { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare_networks,
                          .context = context_new(host, facts),
                          .free_context = context_free };
}

static CheckReadiness
prepare_functions(void *data, GError **error)
{
    Context *context = data;

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
count_free(const Context *context, const char *network, guint *ret_free, guint *ret_total)
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
check_network_functions(const Context *context, const char *network, guint wanted,
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
    const Context *context = data;

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
find_sample(const Context *context, const char *network)
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
check_vnic_settings(const Context *context, const Vnic *vnic, const Function *sample,
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
    const Context *context = data;

    for (guint i = 0; i < context->facts.vnics->len; i++) {
        const Vnic *vnic = context->facts.vnics->pdata[i];
        const Function *sample = find_sample(context, vnic->physical_network);

        if (sample)
            check_vnic_settings(context, vnic, sample, report);
    }
}

CheckGroup
arrival_check_functions(const NetworkHost *host, NetworkFacts *facts)
{
    static const Check checks[] = { { "network.functions-free", check_functions },
                                    { "network.functions-settings-supported", check_settings },
                                    { 0 } };

    return (CheckGroup) { .object = HOST,
                          .checks = checks,
                          .prepare = prepare_functions,
                          .context = context_new(host, facts),
                          .free_context = context_free };
}
