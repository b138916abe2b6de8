/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/network_metrics.h"

#include "common/daemon_metrics.h"
#include "netprep/function_inventory.h"

/* By state, also where there is none of it: a line that vanishes is not a line at zero. */
static void
write_functions(const NetworkHost *host, OpenMetrics *metrics)
{
    static const char *const names[] = {
        [FUNCTION_STATE_FREE] = "free",       [FUNCTION_STATE_RESERVED] = "reserved",
        [FUNCTION_STATE_GUEST] = "guest",     [FUNCTION_STATE_HOST] = "host",
        [FUNCTION_STATE_FOREIGN] = "foreign", [FUNCTION_STATE_UNFIT] = "unfit",
    };
    guint counts[G_N_ELEMENTS(names)] = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(FunctionInventory) inventory = function_inventory_survey_with_leases(host, &error);

    open_metrics_family(metrics, METRIC_GAUGE, "functions", "Virtual functions of this host");
    for (guint i = 0; inventory && i < inventory->functions->len; i++)
        counts[((Function *)inventory->functions->pdata[i])->state]++;
    for (guint i = 0; inventory && i < G_N_ELEMENTS(names); i++)
        open_metrics_sample(metrics, counts[i], "state", names[i], NULL);
}

char *
network_metrics_text(const NetworkHost *host, Tally *failures)
{
    g_autoptr(OpenMetrics) metrics = open_metrics_new("netprep");
    const DaemonMetrics daemon = { .jobs = host->jobs,
                                   .leases = host->leases,
                                   .hypervisor = host->hypervisor,
                                   .failures = failures,
                                   .root = host->root };

    daemon_metrics_write(&daemon, metrics);
    write_functions(host, metrics);
    bulletin_write_metrics(host->bulletin, metrics);
    return open_metrics_finish(metrics);
}
