/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/hooks_job.h"

typedef struct {
    const NetworkHost *host;
    char *guest_name;
    char *guest_uuid;
    GuestHooksPhase phase;
} HooksJob;

static void
hooks_job_free(HooksJob *work)
{
    g_free(work->guest_name);
    g_free(work->guest_uuid);
    g_free(work);
}

static json_t *
run(Job *job, void *data, GError **error)
{
    const HooksJob *work = data;
    const GuestHooks hooks = {
        .hypervisor = work->host->hypervisor,
        .guest_name = work->guest_name,
        .guest_uuid = work->guest_uuid,
        .config = &work->host->config->guest_hooks,
        .cancellable = job_cancellable(job),
    };
    unsigned count = 0;

    network_progress(job, "hooks", "guest", guest_hooks_phase_name(work->phase));
    return guest_hooks_run(&hooks, work->phase, &count, error)
               ? json_pack("{s:i}", "count", (int)count)
               : NULL;
}

Job *
hooks_job_start(const NetworkHost *host, const char *guest, GuestHooksPhase phase, GError **error)
{
    g_autoptr(Guest) known = hypervisor_get_guest(host->hypervisor, guest, error);

    if (!known)
        return NULL;
    HooksJob *work = g_new0(HooksJob, 1);
    work->host = host;
    work->guest_name = g_strdup(known->name);
    work->guest_uuid = g_strdup(known->uuid);
    work->phase = phase;
    return job_start(host->jobs, "RunHooks", known->uuid, run, work, (GDestroyNotify)hooks_job_free,
                     error);
}
