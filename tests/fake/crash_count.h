/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many points are struck by a run of the crash tests: some of them, or all. */
#pragma once

/* 1 if FULL=1 is in the environment, as `tests/run --full` has it: each point. Else of so many
 * points one, chosen always alike. */
unsigned crash_count_stride(void);
/* Counts points that were struck. */
void crash_count_add(unsigned points);
/* Prints their number; the exit status of the program, whose tests ended with @status: 1 too if all
 * of them were run and struck fewer than @some, or with FULL=1 @all. */
int crash_count_finish(int status, unsigned some, unsigned all);
