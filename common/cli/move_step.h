/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a move and what they share; for move.c only. */
#pragma once

#include "common/cli/gate.h"
#include "common/cli/hold.h"
#include "common/cli/move.h"
#include "common/cli/survey.h"

typedef struct {
    const MoveRequest *request;
    Peer *source, *destination;
    const MoveObserver *observer;
    void *data;
    GCancellable *cancellable;
    GateInquiry *inquiry; /* NULL: nothing is checked, or it was passed */
    Survey *survey;
    Hold *detachment, *targets, *reservation;
    json_t *sent;   /* SentDisk records of Storage; NULL: none was sent by us */
    gboolean rests; /* it has hooks that we have to run where it ends up */
    MoveResult *result;
} Move;

typedef struct {
    MoveStep step;
    gboolean at_destination;
    gboolean (*needed)(const Move *move); /* NULL: always */
    gboolean (*run)(Move *move, GError **error);
} MoveStepPlan;

/* In order; ends with an entry whose run is NULL. */
extern const MoveStepPlan move_plan[];

/* Waits for what the checks say, unless it is known already; FALSE if the move must not go on. */
gboolean move_pass_gate(Move *move, GError **error);
/* Whether the guest has passthrough vNICs. Needs the survey. */
gboolean move_has_vnics(const Move *move);
/* Tells the observer of Storage's Progress record @progress. */
void move_report_transfer(const Move *move, MoveStep step, const json_t *progress);
/* Tells the observer what a job of the network daemon is doing. */
void move_report_waiting(const Move *move, MoveStep step, const json_t *progress);

/* An empty result for a move of @guest between these hosts. */
MoveResult *move_result_new(const char *guest, Peer *source, Peer *destination);
