/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done for one guest of a drain, in a thread of its own; for drain.c only. */
#pragma once

#include "common/cli/drain.h"

typedef enum {
    DRAIN_WORK_MOVE,
    DRAIN_WORK_HIBERNATE,
    DRAIN_WORK_SHUT_DOWN,
} DrainWorkKind;

typedef struct {
    const DrainTask *task;
    GMutex *lock;      /* for telling */
    GAsyncQueue *done; /* gets the work itself once it is over */
    DrainWorkKind kind;
    guint item;
    const DrainGuest *guest;
    Peer *destination;        /* of a move */
    unsigned leaving, coming; /* moves of this drain that run, this one among them */
    MoveResult *result;       /* outcome of a move that was begun or refused */
    GError *error;            /* outcome of a stop; NULL: it is done */
    char *busy;               /* outcome: others use its hosts; owned */
} DrainWork;

void drain_work_free(DrainWork *work);
/* Starts a thread that does @work and then puts it into its queue. */
void drain_work_start(DrainWork *work);
/* Tells the task's observer, one at a time. */
void drain_work_tell(const DrainTask *task, GMutex *lock, const DrainEvent *event);
