/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a migration has had its time, and what its policy wants then. Pure. */
#pragma once

#include "common/hypervisor.h"
#include "common/policy.h"

/*
 * The time counts from when memory begins to be sent: copying disks lasts as long as they are
 * large, and a guest that was suspended then would stand still for all of it.
 */
typedef struct {
    TimeoutAction action;
    gint64 timeout_usec; /* 0: none */
    gint64 due_usec;     /* 0: no memory was sent yet */
    gboolean acted;
} Convergence;

/* For a migration in @mode; only one that is live can fail to converge. */
Convergence convergence_new(const Policy *policy, MigrationMode mode);
/* Whether action is to be taken, told what @progress there was at @now_usec (monotonic). True until
 * acted is set: libvirt may refuse at first. */
gboolean convergence_is_due(Convergence *convergence, const MigrationProgress *progress,
                            gint64 now_usec);
/* Microseconds from @now_usec until it may be due, at most @most_usec. */
gint64 convergence_wait(const Convergence *convergence, gint64 now_usec, gint64 most_usec);
