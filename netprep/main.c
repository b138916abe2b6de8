/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netprepd: assembles the daemon. */
#include "common/daemon.h"
#include "netprep/leak_watch.h"
#include "netprep/network_service.h"
#include "netprep/reconcile.h"

#define SYSFS "/sys"

typedef struct {
    NetworkHost *host;
    Reconciler *reconciler;
    LeakWatch *leaks;
} Netprepd;

static void
stop(void *self)
{
    Netprepd *netprepd = self;

    leak_watch_free(netprepd->leaks);
    reconciler_free(netprepd->reconciler);
    network_host_free(netprepd->host);
    g_free(netprepd);
}

static void *
start(VarlinkServer *server, const Config *config, const char *state_path,
      const char *hypervisor_uri, GError **error)
{
    LeaseStore *leases = lease_store_open(state_path, error);

    if (!leases)
        return NULL;
    Netprepd *netprepd = g_new0(Netprepd, 1);
    netprepd->host =
        network_host_new(hypervisor_new_libvirt(hypervisor_uri, config->return_seconds), leases,
                         function_control_new_netlink(), leg_probe_new_packet(),
                         bridge_fdb_new_netlink(), config, SYSFS);
    netprepd->reconciler = reconciler_new(netprepd->host);
    netprepd->leaks = leak_watch_new(netprepd->host);
    if (!network_service_add(server, netprepd->host, error)) {
        stop(netprepd);
        return NULL;
    }
    reconciler_run(netprepd->reconciler);
    leak_watch_run(netprepd->leaks);
    return netprepd;
}

int
main(int argc, char **argv)
{
    static const Daemon daemon = {
        .name = "netprepd",
        .summary = "Moves guests' SR-IOV functions out of the way of live migrations and back",
        .socket_path = "/run/netprep/io.migprep.Network",
        .state_path = "/var/lib/netprep/leases.db",
        .start = start,
        .stop = stop,
    };

    return daemon_main(&daemon, argc, argv);
}
