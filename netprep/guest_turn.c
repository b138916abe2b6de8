/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queues behind the job that is on a guest. */
#include "netprep/guest_turn.h"

#define TURNS_MAX 8

json_t *
guest_turn_run(const NetworkHost *host, const char *kind, const char *uuid, JobRun run, void *data,
               GError **error)
{
    for (unsigned turn = 1;; turn++) {
        g_autoptr(GError) failure = NULL;
        g_autoptr(Job) job = job_start(host->jobs, kind, uuid, run, data, NULL, &failure);

        if (job)
            return job_wait(job, error);
        if (turn == TURNS_MAX || !g_error_matches(failure, FAULT, FAULT_GUEST_BUSY)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return NULL;
        }
        g_autoptr(Job) running = job_registry_find_subject(host->jobs, uuid);
        if (running)
            json_decref(job_wait(running, NULL)); /* how it ended is its own caller's affair */
    }
}
