/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/migration_hooks.h"

#include "common/guest_hooks.h"

static gboolean
run(const NetworkHost *host, Job *job, const Lease *lease, GuestHooksPhase phase, GError **error)
{
    const GuestHooks hooks = {
        .hypervisor = host->hypervisor,
        .guest_name = lease->guest_name,
        .guest_uuid = lease->guest_uuid,
        .config = &host->config->guest_hooks,
        .cancellable = job ? job_cancellable(job) : NULL,
    };
    unsigned count = 0;

    network_progress(job, "hooks", "guest", guest_hooks_phase_name(phase));
    if (!guest_hooks_run(&hooks, phase, &count, error))
        return FALSE;
    if (count > 0) {
        g_autofree char *detail =
            g_strdup_printf("%s: %u ran", guest_hooks_phase_name(phase), count);
        network_progress(job, "hooks", NULL, detail);
    }
    return TRUE;
}

gboolean
migration_hooks_before(const NetworkHost *host, Job *job, const Lease *detachment, GError **error)
{
    return run(host, job, detachment, GUEST_HOOKS_BEFORE_MIGRATION, error);
}

void
migration_hooks_after(const NetworkHost *host, Job *job, const Lease *lease)
{
    g_autoptr(GError) error = NULL;

    if (g_str_equal(lease->state, STATE_DEGRADED))
        return;
    if (!run(host, job, lease, GUEST_HOOKS_AFTER_MIGRATION, &error))
        g_warning("%s", error->message);
}
