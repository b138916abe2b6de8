/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metrics that both daemons have. */
#pragma once

#include "common/hypervisor.h"
#include "common/job.h"
#include "common/lease_store.h"
#include "common/open_metrics.h"

/* All borrowed. */
typedef struct {
    JobRegistry *jobs;
    LeaseStore *leases;
    Hypervisor *hypervisor;
    Tally *failures;  /* of calls: method, error */
    const char *root; /* "", or a directory that stands for "/": where maintenance is noted */
} DaemonMetrics;

/* Families build, libvirt_up, maintenance, leases, degraded_guests, jobs_running, jobs, job_seconds
 * and failures. Blocks on the database and on libvirt. */
void daemon_metrics_write(const DaemonMetrics *daemon, OpenMetrics *metrics);
