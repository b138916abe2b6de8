/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what a move reports: its names and its result. */
#include "common/cli/move.h"

#include "common/cli/move_step.h"

static const char *const step_names[] = {
    [MOVE_STEP_DESCRIBE] = "describe",
    [MOVE_STEP_SET_UP_BOND] = "set-up-bond",
    [MOVE_STEP_RESERVE_FUNCTIONS] = "reserve-functions",
    [MOVE_STEP_CREATE_TARGETS] = "create-targets",
    [MOVE_STEP_SEND_DISKS] = "send-disks",
    [MOVE_STEP_DETACH] = "detach",
    [MOVE_STEP_MIGRATE] = "migrate",
    [MOVE_STEP_ATTACH] = "attach",
    [MOVE_STEP_FINISH] = "finish",
    [MOVE_STEP_UNDO] = "undo",
};

const char *
move_step_name(MoveStep step)
{
    return step_names[step];
}

const char *
move_state_name(MoveState state)
{
    static const char *const names[] = { "started", "finished", "failed" };

    return names[state];
}

const char *
move_outcome_name(MoveOutcome outcome)
{
    static const char *const names[] = { "moved", "degraded", "failed" };

    return names[outcome];
}

static void
step_time_clear(void *data)
{
    g_free(((MoveStepTime *)data)->host);
}

MoveResult *
move_result_new(const char *guest, Peer *source, Peer *destination)
{
    MoveResult *result = g_new0(MoveResult, 1);

    result->outcome = MOVE_OUTCOME_FAILED;
    result->guest = g_strdup(guest);
    result->from = g_strdup(peer_host(source));
    result->to = g_strdup(peer_host(destination));
    result->functions = json_array();
    result->downtime_msec = -1;
    result->steps = g_array_new(FALSE, FALSE, sizeof(MoveStepTime));
    g_array_set_clear_func(result->steps, step_time_clear);
    return result;
}

void
move_result_free(MoveResult *result)
{
    if (!result)
        return;
    g_free(result->guest);
    g_free(result->from);
    g_free(result->to);
    json_decref(result->functions);
    json_decref(result->left);
    g_free(result->active_before);
    g_free(result->active_after);
    g_array_unref(result->steps);
    g_clear_error(&result->error);
    g_free(result);
}
