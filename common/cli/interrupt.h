/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns Ctrl-C into a cancellation, and a second one into leaving at once. */
#pragma once

#include <gio/gio.h>

/*
 * From now on the first SIGINT, SIGTERM or SIGHUP prints @notice (NULL: nothing) and cancels
 * @cancellable, the second prints @farewell and ends the process with status 130. Call once, before
 * any thread or child is started: both inherit the blocked signals, so that a Ctrl-C does not end
 * ssh under us. Both are kept for good.
 */
void interrupt_watch(GCancellable *cancellable, const char *notice, const char *farewell);

#define INTERRUPT_STAGES_MAX 2

typedef struct {
    GCancellable *cancellable;
    const char *notice; /* static; NULL: nothing is printed */
} InterruptStage;

/* The same with @count signals (1-INTERRUPT_STAGES_MAX) that each cancel something before one ends
 * the process. */
void interrupt_watch_stages(const InterruptStage *stages, unsigned count, const char *farewell);
