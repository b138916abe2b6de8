/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In which order placed guests move, and how long that takes. Pure. */
#pragma once

#include "common/cli/placement.h"

typedef struct {
    unsigned out; /* moves that may leave the host at once, at least 1 */
    unsigned in;  /* moves that may come to any one host at once, at least 1 */
} ScheduleLimits;

/* What is going on; all borrowed. */
typedef struct {
    const gboolean *waiting; /* by guest: it has a place and is to move now */
    const unsigned *coming;  /* by host: how many moves go there now */
    unsigned leaving;        /* how many leave the host now */
} ScheduleState;

/* The number of the guest whose turn it is: of those whose destination can take one more, the most
 * important, and of equals the one that takes longest. -1: none can begin now. */
int schedule_next(const Placement *placement, const ScheduleLimits *limits,
                  const ScheduleState *state);

/* How long all placed guests take if each takes the time that is expected, in seconds. */
double schedule_seconds(const Placement *placement, const ScheduleLimits *limits);
