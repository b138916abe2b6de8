/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/daemon_metrics.h"

#include "common/maintenance.h"

#define STATE_DEGRADED "degraded"

static void
write_state(const DaemonMetrics *daemon, OpenMetrics *metrics)
{
    g_autoptr(Maintenance) maintenance = maintenance_read(daemon->root);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(daemon->hypervisor, &error);

    open_metrics_family(metrics, METRIC_INFO, "build", "What runs");
    open_metrics_sample(metrics, 1, "version", MIGPREP_VERSION, NULL);
    open_metrics_family(metrics, METRIC_GAUGE, "libvirt_up", "Whether libvirt answers");
    open_metrics_sample(metrics, guests ? 1 : 0, NULL);
    open_metrics_family(metrics, METRIC_GAUGE, "maintenance", "Whether the host takes no guests");
    open_metrics_sample(metrics, maintenance ? 1 : 0, NULL);
}

static void
write_leases(const DaemonMetrics *daemon, OpenMetrics *metrics)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) leases = lease_store_list(daemon->leases, &error);
    g_autoptr(Tally) tally = tally_new();
    g_autoptr(GHashTable) degraded = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; leases && i < leases->len; i++) {
        const Lease *lease = leases->pdata[i];

        tally_add(tally, lease->kind, lease->state);
        if (g_str_equal(lease->state, STATE_DEGRADED))
            g_hash_table_add(degraded, lease->guest_uuid);
    }
    open_metrics_family(metrics, METRIC_GAUGE, "leases", "Leases that there are");
    open_metrics_tally(metrics, tally, "kind", "state");
    open_metrics_family(metrics, METRIC_GAUGE, "degraded_guests",
                        "Guests that lack something that is tried again and again");
    if (leases)
        open_metrics_sample(metrics, g_hash_table_size(degraded), NULL);
}

void
daemon_metrics_write(const DaemonMetrics *daemon, OpenMetrics *metrics)
{
    write_state(daemon, metrics);
    write_leases(daemon, metrics);
    job_registry_write_metrics(daemon->jobs, metrics);
    open_metrics_family(metrics, METRIC_COUNTER, "failures", "Calls that ended with an error");
    open_metrics_tally(metrics, daemon->failures, "method", "error");
}
