/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves a guest to another host: the sequence of steps and, should one fail, their undoing. */
#pragma once

#include "common/cli/peer.h"
#include "common/cli/whereabouts.h"

/*
 * Theory of operation. While both hosts are asked about the guest, the checks are run; nothing is
 * changed before they have passed. Steps up to the migration change nothing that their lease does
 * not undo; a failure among them releases the leases in the order source network, destination
 * storage, destination network, and the guest is as it was. After the migration has begun only what
 * both hosts say about the guest counts: on the source, undo; on the destination, go on, whatever
 * the call returned; unknown, leave everything to the daemons, whose leases wait for the truth.
 * Once the guest runs on the destination nothing is undone any more and cancelling has no effect.
 */

typedef enum {
    MOVE_STEP_DESCRIBE,
    MOVE_STEP_SET_UP_BOND,
    MOVE_STEP_RESERVE_FUNCTIONS,
    MOVE_STEP_CREATE_TARGETS,
    MOVE_STEP_SEND_DISKS,
    MOVE_STEP_DETACH,
    MOVE_STEP_MIGRATE,
    MOVE_STEP_ATTACH,
    MOVE_STEP_FINISH,
    MOVE_STEP_UNDO,
} MoveStep;

const char *move_step_name(MoveStep step); /* "reserve-functions" */

typedef enum {
    MOVE_STATE_STARTED,
    MOVE_STATE_FINISHED,
    MOVE_STATE_FAILED,
} MoveState;

const char *move_state_name(MoveState state); /* "started" */

typedef struct {
    MoveStep step;
    MoveState state;
    const char *host;
    const char *detail; /* what an undo step gives back; else NULL */
    double seconds;     /* 0 when started */
} MoveEvent;

typedef struct {
    MoveStep step;
    const char *phase; /* as io.migprep.Storage calls it: "memory"; NULL: not told */
    guint64 memory_total_bytes, memory_remaining_bytes;
    guint64 disk_total_bytes, disk_remaining_bytes;
    guint64 rate_bytes_per_second;
    guint64 dirty_rate_bytes_per_second; /* what the guest makes to be sent again */
    guint64 downtime_msec;               /* expected */
    guint64 throttle_percent;            /* how much auto-converge slows the guest */
    gint64 seconds_left;                 /* -1: never, or unknown */
} MoveProgress;

/* All required; called on the thread of move_run() . */
typedef struct {
    void (*event)(const MoveEvent *event, void *data);
    void (*progress)(const MoveProgress *progress, void *data);
    void (*waiting)(MoveStep step, const char *what, void *data);
    void (*note)(const char *sentence, void *data);
} MoveObserver;

typedef struct Gate Gate;

typedef struct {
    const char *guest;        /* name or UUID */
    const Gate *gate;         /* what is checked before anything is changed; NULL: nothing */
    const json_t *options;    /* members for Storage.Migrate; NULL: none */
    const char *const *disks; /* those that alone are to be copied; NULL: all that need it */
    gboolean offline;         /* the guest is shut off: its definition moves, and its disks */
    gboolean verify;          /* compare disks that were sent so */
    gboolean unsafe;          /* disks that are neither shared nor copied may stay behind */
    gboolean set_up_bond;
    unsigned lease_seconds;
} MoveRequest;

typedef enum {
    MOVE_OUTCOME_MOVED,
    MOVE_OUTCOME_DEGRADED, /* moved, but something is not as before; error says what */
    MOVE_OUTCOME_FAILED,   /* error says why; restored whether everything is back */
} MoveOutcome;

const char *move_outcome_name(MoveOutcome outcome); /* "moved" */

typedef struct {
    char *host;
    MoveStep step;
    double seconds;
} MoveStepTime;

typedef struct {
    MoveOutcome outcome;
    char *guest; /* its name; what was asked for when not even that is known */
    char *from, *to;
    json_t *functions;
    double seconds;
    gint64 downtime_msec;               /* -1: unknown */
    char *active_before, *active_after; /* the bond's port; NULL: unknown or no bond */
    GArray *steps;                      /* of MoveStepTime, finished ones in order */
    gboolean restored;
    gboolean offline; /* it does not run, it is only defined there */
    json_t *left;     /* LocalState objects of Storage that did not go along; NULL: not known */
    GuestPlace place; /* where the guest is, asked of both hosts at the end */
    GError *error;    /* NULL when moved */
} MoveResult;

void move_result_free(MoveResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MoveResult, move_result_free)

/* Never NULL. Blocks; @cancellable stops it at the next safe point, with everything undone. */
MoveResult *move_run(const MoveRequest *request, Peer *source, Peer *destination,
                     const MoveObserver *observer, void *data, GCancellable *cancellable);
