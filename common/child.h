/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One child process: started without a shell, in a session of its own, ended with all it started.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
    pid_t pid; /* also its process group and session */
    int pidfd; /* readable once it ended, until child_end() */
} Child;

/*
 * Starts @argv with exactly @environment and @descriptors as 0, 1 and 2; every other descriptor is
 * closed, no signal is blocked or ignored. argv[0] is looked up in @environment's PATH unless it
 * holds a slash. It gets a session of its own, so a terminal's Ctrl-C does not reach it.
 * FAULT_PROGRAM_FAILED naming the program; then nothing runs. Does not block.
 */
gboolean child_start(const char *const *argv, const char *const *environment,
                     const int descriptors[3], Child *ret_child, GError **error);

/* Kills whatever is left of the child's process group, reaps the child and closes the pidfd.
 * Returns its exit status: 0-255, or 128 + signal. */
int child_end(Child *child);
/* As that, once the child has ended by itself, but what it left in the background goes on. Blocks
 * until it has. */
int child_reap(Child *child);
