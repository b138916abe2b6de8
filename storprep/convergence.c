/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the clock of a migration's timeout. */
#include "storprep/convergence.h"

Convergence
convergence_new(const Policy *policy, MigrationMode mode)
{
    TimeoutAction action = (TimeoutAction)policy->values[POLICY_ON_TIMEOUT];
    gboolean wanted = mode == MIGRATION_LIVE && action != TIMEOUT_CONTINUE;

    return (Convergence) {
        .action = action,
        .timeout_usec = wanted ? (gint64)policy->values[POLICY_TIMEOUT] * G_USEC_PER_SEC : 0,
    };
}

gboolean
convergence_is_due(Convergence *convergence, const MigrationProgress *progress, gint64 now_usec)
{
    if (!convergence->timeout_usec || convergence->acted || !progress->memory_total_bytes)
        return FALSE;
    if (!convergence->due_usec)
        convergence->due_usec = now_usec + convergence->timeout_usec;
    return now_usec >= convergence->due_usec;
}

gint64
convergence_wait(const Convergence *convergence, gint64 now_usec, gint64 most_usec)
{
    if (convergence->acted || convergence->due_usec <= now_usec)
        return most_usec;
    return MIN(most_usec, convergence->due_usec - now_usec);
}
