/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One hook's process: as whom it runs, what it may print, and when it has to end. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "netprep/guest/failure.h"

#define HOOKS_MAX             64
#define HOOK_OUTPUT_BYTES_MAX 8192
#define HOOK_USER             "nobody"

typedef struct {
    const char *phase;        /* for its environment */
    struct timespec deadline; /* CLOCK_MONOTONIC */
    bool privileged;          /* as root; else as HOOK_USER, without any other group */
    Failure failure;          /* set if it did not end well */
    char *output;             /* what it printed, cut; owned by the caller, never NULL */
} HookProcess;

/* Runs the program at @path and fills the last two members. Whatever it started in its process
 * group is gone afterwards. Without root's rights everything runs as who we are. Blocks. */
void hook_process_run(const char *path, HookProcess *process);
