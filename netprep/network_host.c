/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds and tears down what every room of netprepd works on. */
#include "netprep/network_host.h"

#define FAREWELL_SECONDS 5

NetworkHost *
network_host_new(Hypervisor *hypervisor, LeaseStore *leases, FunctionControl *control,
                 LegProbe *probe, BridgeFdb *fdb, const Config *config, const char *sysfs)
{
    NetworkHost *host = g_new0(NetworkHost, 1);

    host->jobs = job_registry_new();
    host->checks = check_runner_new();
    host->hypervisor = hypervisor;
    host->leases = leases;
    host->control = control;
    host->probe = probe;
    host->fdb = fdb;
    host->bulletin = bulletin_new();
    host->config = config;
    host->sysfs = g_strdup(sysfs);
    host->vlans = g_strdup("/proc/net/vlan");
    host->root = g_strdup("");
    return host;
}

void
network_host_free(NetworkHost *host)
{
    if (!host)
        return;
    job_registry_free(host->jobs);
    /* A check that still waits for libvirt uses all of this; it ends with the process. */
    if (!check_runner_finish(host->checks, FAREWELL_SECONDS))
        return;
    check_runner_free(host->checks);
    function_control_free(host->control);
    leg_probe_free(host->probe);
    bridge_fdb_free(host->fdb);
    bulletin_free(host->bulletin);
    lease_store_free(host->leases);
    hypervisor_free(host->hypervisor);
    g_free(host->sysfs);
    g_free(host->vlans);
    g_free(host->root);
    g_free(host);
}

void
network_progress(Job *job, const char *step, const char *waiting_for, const char *detail)
{
    if (!job)
        return;
    job_progress(job, json_pack("{s:s, s:s?, s:s?}", "step", step, "waitingFor", waiting_for,
                                "detail", detail));
}

char *
network_guest_label(const char *guest_name)
{
    return g_strdup_printf("guest '%s'", guest_name);
}

char *
network_function_label(const char *address)
{
    return g_strdup_printf("virtual function %s", address);
}
