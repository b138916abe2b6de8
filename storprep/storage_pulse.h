/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether servers of network storage answer: asked once for all who are about to touch it. */
#pragma once

#include "storprep/network_path.h"

/*
 * Theory of operation. Whoever touches a file of a server that is gone waits for it, each of a
 * host's fifty guests for itself. So checks ask here first: the first one asks the server, by one
 * program that is killed at its deadline, others who come meanwhile wait for that verdict, and who
 * comes within some seconds gets it at once. A server that was there a moment ago may still be gone
 * now; then the deadlines of those who touch it hold.
 */
typedef struct StoragePulse StoragePulse; /* thread-safe */

#define STORAGE_PULSE_SECONDS        2  /* that a server has to answer in */
#define STORAGE_PULSE_SILENT_SECONDS 10 /* that one which did not is not asked again */
#define STORAGE_PULSE_GOOD_SECONDS   1  /* that one which did is not asked again */

/* Host access: storage_pulse_real is the real one, tests have a fake. */
typedef struct {
    /* Has the server of the file system at @target answer. FAULT_TIMED_OUT, or FAULT_PROGRAM_FAILED
     * with what it said. Blocks for STORAGE_PULSE_SECONDS at most. */
    gboolean (*ask)(const char *target, GError **error);
    gint64 (*now_usec)(void); /* a monotonic clock */
} StoragePulseOps;
extern const StoragePulseOps storage_pulse_real;

/* No server was asked yet. @ops is borrowed. Owned by the caller. */
StoragePulse *storage_pulse_new(const StoragePulseOps *ops);
void storage_pulse_free(StoragePulse *pulse);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoragePulse, storage_pulse_free)

/* Whether the server of @mount answers: its errors as of ask(), naming the server. Blocks for
 * STORAGE_PULSE_SECONDS at most. */
gboolean storage_pulse_ask(StoragePulse *pulse, const NetworkMount *mount, GError **error);
/* The same of what @path lies on by @mount_info (as network_path_find()); TRUE for what no server
 * serves. */
gboolean storage_pulse_check(StoragePulse *pulse, const char *path, const char *mount_info,
                             GError **error);
