/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Empties a host: moves its guests as planned, and sees to those that cannot leave. */
#pragma once

#include "common/cli/drain_plan.h"
#include "common/cli/move.h"

/*
 * Theory of operation. Each move has a thread, which asks the checks again before it moves the
 * guest. One that fails is tried elsewhere, or there again, after a pause that doubles; the others
 * go on. What cannot leave follows its fallback once it has been tried. Nothing is remembered but
 * what libvirt and the leases say, so a drain that was killed is resumed by another one.
 */

typedef enum {
    DRAIN_PENDING, /* not over yet */
    DRAIN_MOVED,
    DRAIN_DEGRADED, /* moved, but something is not as before; error says what */
    DRAIN_HIBERNATED,
    DRAIN_SHUT_DOWN,
    DRAIN_GONE, /* it ended or left by itself */
    DRAIN_LEFT, /* it stays and runs, since it cannot leave or its policy says so; error says why */
    DRAIN_FAILED,    /* it stays, since moving or stopping it failed; error says how */
    DRAIN_CANCELLED, /* it stays, since the drain was cancelled */
} DrainOutcome;

const char *drain_outcome_name(DrainOutcome outcome); /* "moved" */

typedef enum {
    DRAIN_EVENT_STARTED,  /* a guest's move, or its fallback (text: hibernate, shutdown) */
    DRAIN_EVENT_STEP,     /* text: of the move */
    DRAIN_EVENT_PROGRESS, /* progress */
    DRAIN_EVENT_NOTE,     /* text */
    DRAIN_EVENT_RETRY, /* a try failed (error), or its hosts are busy (text); it is tried again */
    DRAIN_EVENT_OVER,  /* outcome, host if it went to one, seconds, error */
} DrainEventKind;

const char *drain_event_name(DrainEventKind kind); /* "started" */

/* Members that do not belong to the kind are NULL or 0. */
typedef struct {
    DrainEventKind kind;
    guint item; /* its number among the plan's items */
    const DrainGuest *guest;
    const char *host, *text;
    const GError *error;
    const MoveProgress *progress;
    DrainOutcome outcome; /* of STARTED: what it will be if nothing fails */
    double seconds;
} DrainEvent;

/* Its error's message, or its text; what goes behind the guest's name does not begin with it again.
 * Borrowed; NULL: neither. */
const char *drain_event_reason(const DrainEvent *event);

typedef struct {
    DrainPlan *plan; /* changes as guests are tried elsewhere */
    Peer *source;
    const GPtrArray *destinations; /* of Peer *, as the plan's hosts */
    int fallback;                  /* a Fallback for all; -1: each guest's own */
    unsigned shutdown_seconds;     /* for a guest that is asked to shut down */
    unsigned lease_seconds;
    unsigned retry_msec;  /* the first pause */
    GCancellable *stop;   /* nothing new is begun; may be NULL */
    GCancellable *cancel; /* what runs is undone, too; may be NULL */
    /* Called from several threads, one at a time. */
    void (*tell)(const DrainEvent *event, void *data);
    void *data;
} DrainTask;

/* How one guest ended. */
typedef struct {
    DrainOutcome outcome;
    char *host; /* NULL: it did not go to any */
    double seconds;
    GError *error;
} DrainEnd;

typedef enum {
    DRAIN_RESULT_DRAINED, /* no guest runs here any more */
    DRAIN_RESULT_PARTLY,
    DRAIN_RESULT_BLOCKED, /* none could leave */
    DRAIN_RESULT_CANCELLED,
} DrainResultKind;

const char *drain_result_name(DrainResultKind kind); /* "drained" */

typedef struct {
    DrainResultKind kind;
    GArray *ends; /* of DrainEnd, as the plan's items */
    double seconds;
} DrainResult;

/* Never NULL. Blocks until all guests are over. */
DrainResult *drain_run(const DrainTask *task);
void drain_result_free(DrainResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainResult, drain_result_free)
