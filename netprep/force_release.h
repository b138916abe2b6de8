/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ForceRelease: ends a lease in whatever state it is, because an administrator says so. */
#pragma once

#include "netprep/network_lease.h"

/* All copied. */
typedef struct {
    const char *lease;
    guint64 generation;
    const char *caller; /* who asks, for the journal: "uid 0, process 812" */
    const char *reason; /* why, in the caller's words */
} ForceReleaseRequest;

/*
 * Starts the job, which queues behind other work on the guest. Unlike Release it does not wait for
 * a migration and plugs nothing back: a VF that is in the lease's guest stays there, one that
 * nobody uses is reset and free. Never takes a VF from a running guest; one that somebody else uses
 * keeps the lease, with FAULT_FUNCTION_BUSY, and so does the guest's MAC where it cannot be taken
 * off the PF (FAULT_INTERNAL). Who did it, and why, is in the journal before anything
 * is done. Its result is {freed, kept}. FAULT_LEASE_NOT_FOUND, FAULT_STALE_GENERATION. Blocks
 * briefly.
 */
Job *force_release_start(const NetworkHost *host, const ForceReleaseRequest *request,
                         GError **error);
