/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs long work on a daemon and sees it through, cancelled or not. */
#pragma once

#include "common/cli/peer.h"

typedef struct {
    Service service;
    const char *method;                                   /* "Detach" */
    json_t *parameters;                                   /* stolen */
    void (*progress)(const json_t *progress, void *data); /* may be NULL; called while running */
    void *data;
    GCancellable *cancellable;
} JobCall;

/*
 * Starts the job and returns its result (owned), or NULL with its error. Cancelling sends CancelJob
 * and goes on waiting: the job says itself how it ended and what it put back. Blocks without limit.
 */
json_t *job_call(Peer *peer, const JobCall *call, GError **error);
