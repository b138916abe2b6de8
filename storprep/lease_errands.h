/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking after many leases at once, so that none waits for what another one waits for. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. Each lease that is asked for is looked after in a thread of ours, by one at
 * a time; asked for again meanwhile, it is looked at once more afterwards. What hangs, as a file
 * system does whose server is dead, is not begun twice, and keeps one of LEASE_ERRANDS_AT_ONCE
 * places only for LEASE_ERRANDS_PROMPT_SECONDS: from then on whoever asks for another lease, as
 * somebody does every few seconds, has it begun beside those that hang. Of these there are so many
 * that all threads are LEASE_ERRANDS_THREADS.
 */
typedef struct LeaseErrands LeaseErrands;

#define LEASE_ERRANDS_AT_ONCE        16
#define LEASE_ERRANDS_PROMPT_SECONDS 2
#define LEASE_ERRANDS_THREADS        128

/* Looks after lease @id; @resumed if any of those who asked said so. May block. */
typedef void (*LeaseErrand)(const char *id, gboolean resumed, void *data);

/* @data is borrowed, for @run. */
LeaseErrands *lease_errands_new(LeaseErrand run, void *data);
/* Waits for those under way; others are dropped. */
void lease_errands_free(LeaseErrands *errands);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeaseErrands, lease_errands_free)

/* Has @id looked after; does not wait for that. Any thread. */
void lease_errands_ask(LeaseErrands *errands, const char *id, gboolean resumed);
/* Waits until nothing is asked for any more. */
void lease_errands_await(LeaseErrands *errands);
