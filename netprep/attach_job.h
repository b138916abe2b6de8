/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jobs behind Attach: one does the work on the guest, one waits for the guest and watches. */
#pragma once

#include "netprep/attach.h"

/* Starts the work for the guest of @lease, which runs here. FAULT_GUEST_BUSY if a job is on it. */
Job *attach_work_start(const NetworkHost *host, const Lease *lease, GError **error);

/*
 * Starts the job behind Attach: waits up to @wait_seconds until the guest runs here, then follows
 * the work on it, or does it. Its result is that of attach_result(). A second call for the same
 * lease gets the running job. FAULT_LEASE_NOT_FOUND, FAULT_STALE_GENERATION,
 * FAULT_INVALID_ARGUMENT (not a reservation). Blocks briefly.
 */
Job *attach_start(const NetworkHost *host, const char *lease, guint64 generation,
                  unsigned wait_seconds, GError **error);
