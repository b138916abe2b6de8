/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way through all points of an operation, struck by one injection after the other. */
#pragma once

#include "fake/injector.h"

/*
 * Theory of operation. A play is an operation and an injection that strikes at its k-th point; k
 * grows until there is no such point. Then the daemon is restarted in any case, and in other plays
 * struck once more while it puts things in order.
 *
 * With FULL=1 in the environment, as `tests/run --full` has it, each point is struck, and once more
 * with a second fault after it. Else every so many-th one, always the same, with a second fault in
 * every other play.
 */
typedef struct {
    Injection what, later;
    unsigned point, later_point; /* 0: it is not struck again */
} CrashPlay;

/* Returns how often the daemon was struck; 0: the operation has no such point. */
typedef unsigned (*CrashPlayer)(const CrashPlay *play, const void *data);

/* @stride: of so many points one is struck, unless all are. */
void crash_tour_run(unsigned stride, CrashPlayer player, const void *data);
/* Adds a test, to be the last: that at least @some points were struck by now, or with FULL=1 @all.
 * Prints how many. */
void crash_tour_add_total(const char *path, unsigned some, unsigned all);
