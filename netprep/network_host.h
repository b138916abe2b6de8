/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every room of netprepd works on: this host's libvirt, leases, jobs and virtual functions. */
#pragma once

#include "common/check_run.h"
#include "common/config.h"
#include "common/hypervisor.h"
#include "common/job.h"
#include "common/lease_store.h"
#include "netprep/bridge_fdb.h"
#include "netprep/bulletin.h"
#include "netprep/function_settings.h"
#include "netprep/leg_probe.h"

/* Built once at start and only read afterwards; its members are thread-safe. All are owned but
 * @config. */
typedef struct {
    JobRegistry *jobs; /* first: the job_method_* handlers look for it there */
    Hypervisor *hypervisor;
    LeaseStore *leases;
    FunctionControl *control;
    LegProbe *probe;
    BridgeFdb *fdb;
    CheckRunner *checks;
    Bulletin *bulletin;
    const Config *config; /* borrowed */
    char *sysfs;          /* "/sys", or a tree like it */
    char *vlans;          /* "/proc/net/vlan", or a directory like it */
    char *root;           /* "", or a directory that stands for "/": where maintenance is noted */
} NetworkHost;

/* Takes all but @config over. */
NetworkHost *network_host_new(Hypervisor *hypervisor, LeaseStore *leases, FunctionControl *control,
                              LegProbe *probe, BridgeFdb *fdb, const Config *config,
                              const char *sysfs);
/* Ends every job first, so it may block as long as they need to undo what they did. */
void network_host_free(NetworkHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkHost, network_host_free)

/* Publishes {step, waitingFor, detail} of @job; @waiting_for and @detail may be NULL. Does nothing
 * without a job. */
void network_progress(Job *job, const char *step, const char *waiting_for, const char *detail);

/* "guest 'web1'", as errors name it. */
char *network_guest_label(const char *guest_name);
/* "virtual function 0000:01:10.2". */
char *network_function_label(const char *address);
