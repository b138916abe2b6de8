/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the order of a move's steps and of their undoing. */
#include "common/cli/move.h"

#include "common/cli/arrival.h"
#include "common/cli/move_hooks.h"
#include "common/cli/move_step.h"
#include "common/cli/whereabouts.h"
#include "common/fault.h"

static void
report(Move *move, MoveStep step, MoveState state, Peer *peer, const char *detail, gint64 since)
{
    const MoveEvent event = {
        .step = step,
        .state = state,
        .host = peer_host(peer),
        .detail = detail,
        .seconds = since ? (double)(g_get_monotonic_time() - since) / G_USEC_PER_SEC : 0,
    };

    if (state == MOVE_STATE_FINISHED) {
        const MoveStepTime time = { g_strdup(event.host), step, event.seconds };
        g_array_append_val(move->result->steps, time);
    }
    move->observer->event(&event, move->data);
}

static gboolean
check_cancelled(const Move *move, GError **error)
{
    if (!g_cancellable_is_cancelled(move->cancellable))
        return TRUE;
    g_autofree char *object = g_strdup_printf("guest '%s'", move->result->guest);
    fault_set(error, FAULT_CANCELLED, object, "run the command again to start anew",
              "the move was cancelled");
    return FALSE;
}

static gboolean
run_step(Move *move, const MoveStepPlan *entry, GError **error)
{
    Peer *peer = entry->at_destination ? move->destination : move->source;

    if (!check_cancelled(move, error))
        return FALSE;
    gint64 start = g_get_monotonic_time();
    report(move, entry->step, MOVE_STATE_STARTED, peer, NULL, 0);
    gboolean done = entry->run(move, error);
    report(move, entry->step, done ? MOVE_STATE_FINISHED : MOVE_STATE_FAILED, peer, NULL, start);
    return done;
}

/* Undoing. */

static const char *
outcome_sentence(const char *outcome)
{
    static const struct {
        const char *outcome, *sentence;
    } sentences[] = {
        { "returned", "virtual functions plugged back" },
        { "freed", "virtual functions freed" },
        { "kept", "target files kept: they may be the guest's" },
        { "removed", "target files removed" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++) {
        if (g_strcmp0(sentences[i].outcome, outcome) == 0)
            return sentences[i].sentence;
    }
    return "nothing was left";
}

/* Whether the lease was made can be unknown, as an answer can get lost; then the daemon is asked.
 */
static gboolean
undo_hold(Move *move, Hold *hold, GString *left)
{
    g_autoptr(GError) error = NULL;
    const char *outcome = NULL;

    if (!hold || (!hold_is_held(hold) && hold_recover(hold, &error) && !hold_is_held(hold)))
        return TRUE;
    gint64 start = g_get_monotonic_time();
    Peer *peer = hold_peer(hold);
    report(move, MOVE_STEP_UNDO, MOVE_STATE_STARTED, peer, hold_what(hold), 0);
    if (!error && hold_release(hold, &outcome, &error)) {
        report(move, MOVE_STEP_UNDO, MOVE_STATE_FINISHED, peer, outcome_sentence(outcome), start);
        return TRUE;
    }
    report(move, MOVE_STEP_UNDO, MOVE_STATE_FAILED, peer, hold_what(hold), start);
    g_string_append_printf(left, "%s%s on %s (%s)", left->len ? ", " : "", hold_what(hold),
                           peer_host(peer), error->message);
    return FALSE;
}

/* The guest first: it is on its backup NIC until its functions are back. */
static gboolean
undo(Move *move, GString *left)
{
    gboolean back = undo_hold(move, move->detachment, left);

    move_hooks_after(move, move->source);

    back = undo_hold(move, move->targets, left) && back;
    return undo_hold(move, move->reservation, left) && back;
}

/* What was cancelled says so in many ways; only damage matters more than that it was cancelled. */
static GError *
name_cancellation(const Move *move, GError *failure)
{
    GError *cancelled = NULL;

    if (fault_code(failure) == FAULT_ROLLBACK_INCOMPLETE || check_cancelled(move, &cancelled))
        return failure;
    g_error_free(failure);
    return cancelled;
}

/* The checks know more of why the guest cannot be moved than the step that met with it. */
static GError *
prefer_refusal(Move *move, GError *failure)
{
    GError *refusal = NULL;

    if (move_pass_gate(move, &refusal))
        return failure;
    g_error_free(failure);
    return refusal;
}

static void
fail(Move *move, GError *failure)
{
    g_autoptr(GString) left = g_string_new(NULL);

    move->result->outcome = MOVE_OUTCOME_FAILED;
    failure = name_cancellation(move, prefer_refusal(move, failure));
    move->result->restored = undo(move, left);
    if (move->result->restored) {
        move->result->error = failure;
        return;
    }
    g_autofree char *object = g_strdup_printf("guest '%s'", move->result->guest);
    g_autofree char *remedy = g_strdup_printf(
        "the daemons undo it themselves within %u s of reaching each other; look at "
        "'migprep status' and 'migprep status --host %s'",
        move->request->lease_seconds, move->result->to);
    fault_set(&move->result->error, FAULT_ROLLBACK_INCOMPLETE, object, remedy,
              "the move failed (%s) and not all of it could be undone: %s", failure->message,
              left->str);
    g_error_free(failure);
}

static void
fail_unknown(Move *move, GError *failure)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", move->result->guest);
    g_autofree char *remedy = g_strdup_printf(
        "look at 'virsh list --all' on both hosts; the daemons undo or finish the rest as soon as "
        "libvirt says where the guest is");

    fault_set(&move->result->error, FAULT_ROLLBACK_INCOMPLETE, object, remedy,
              "the migration ended badly (%s) and neither %s nor %s says that it runs the guest; "
              "nothing was undone",
              failure->message, move->result->from, move->result->to);
    g_error_free(failure);
}

/* Arriving. */

static void
attach_progress(const json_t *progress, void *data)
{
    move_report_waiting(data, MOVE_STEP_ATTACH, progress);
}

static void
degrade(Move *move, const char *cause)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", move->result->guest);
    g_autofree char *remedy =
        g_strdup_printf("netprepd on %s keeps trying; watch it with 'migprep status --host %s'",
                        move->result->to, move->result->to);

    move->result->outcome = MOVE_OUTCOME_DEGRADED;
    fault_set(&move->result->error, FAULT_ROLLBACK_INCOMPLETE, object, remedy,
              "runs on %s on its VirtIO NIC: %s", move->result->to, cause);
}

static void
attach(Move *move)
{
    g_auto(Arrival) arrival = { 0 };
    g_autoptr(GError) error = NULL;
    gint64 start = g_get_monotonic_time();

    report(move, MOVE_STEP_ATTACH, MOVE_STATE_STARTED, move->destination, NULL, 0);
    if (!arrival_watch(move->reservation, move->survey, attach_progress, move, &arrival, &error)) {
        report(move, MOVE_STEP_ATTACH, MOVE_STATE_FAILED, move->destination, NULL, start);
        degrade(move, error->message);
        return;
    }
    if (json_is_array(arrival.functions)) {
        json_decref(move->result->functions);
        move->result->functions = g_steal_pointer(&arrival.functions);
    }
    move->result->active_after = g_steal_pointer(&arrival.active_port);
    report(move, MOVE_STEP_ATTACH, arrival.degraded ? MOVE_STATE_FAILED : MOVE_STATE_FINISHED,
           move->destination, NULL, start);
    if (arrival.degraded)
        degrade(move, "its virtual functions could not be attached yet");
}

/* The source's functions are given back; its daemon does so too when it sees the guest gone, so a
 * failure here is late news, not damage. */
static void
finish(Move *move)
{
    g_autoptr(GError) error = NULL;
    const char *outcome = NULL;
    gint64 start = g_get_monotonic_time();

    report(move, MOVE_STEP_FINISH, MOVE_STATE_STARTED, move->source, NULL, 0);
    if (hold_release(move->detachment, &outcome, &error)) {
        report(move, MOVE_STEP_FINISH, MOVE_STATE_FINISHED, move->source, outcome_sentence(outcome),
               start);
        return;
    }
    report(move, MOVE_STEP_FINISH, MOVE_STATE_FAILED, move->source, NULL, start);
    g_autofree char *note = g_strdup_printf("%s; netprepd on %s frees them when libvirt reports "
                                            "the guest gone",
                                            error->message, move->result->from);
    move->observer->note(note, move->data);
}

/* No event says that a guest which does not run has come to stay: its files are given to it. */
static void
leave_files(Move *move)
{
    g_autoptr(GError) error = NULL;
    const char *outcome = NULL;

    if (hold_release(move->targets, &outcome, &error))
        return;
    g_autofree char *note = g_strdup_printf(
        "%s; the disks on %s are the guest's all the same: end their lease with 'migprep release'",
        error->message, move->result->to);
    move->observer->note(note, move->data);
}

static void
arrive(Move *move)
{
    move->result->outcome = MOVE_OUTCOME_MOVED;
    if (g_cancellable_is_cancelled(move->cancellable))
        move->observer->note("too late to cancel: the guest runs on its destination already",
                             move->data);
    if (move->request->offline && move->targets)
        leave_files(move);
    move_hooks_after(move, move->destination);
    if (!move_has_vnics(move))
        return;
    attach(move);
    finish(move);
}

static Whereabouts
find_guest(const Move *move)
{
    const char *uuid = move->survey->uuid;
    unsigned patience = move->request->lease_seconds;

    return move->request->offline
               ? whereabouts_find_definition(move->source, move->destination, uuid, patience)
               : whereabouts_find(move->source, move->destination, uuid, patience);
}

static void
judge_migration(Move *move, GError *failure)
{
    switch (find_guest(move)) {
    case WHEREABOUTS_SOURCE:
        fail(move, failure);
        return;
    case WHEREABOUTS_DESTINATION:
        move->observer->note("the migration reported an error, but the guest is on its "
                             "destination: going on",
                             move->data);
        g_error_free(failure);
        arrive(move);
        return;
    case WHEREABOUTS_UNKNOWN:
        fail_unknown(move, failure);
        return;
    }
}

static void
run_plan(Move *move)
{
    for (const MoveStepPlan *entry = move_plan; entry->run; entry++) {
        GError *failure = NULL;
        gboolean begun = !g_cancellable_is_cancelled(move->cancellable);
        if ((entry->needed && !entry->needed(move)) || run_step(move, entry, &failure))
            continue;
        if (entry->step == MOVE_STEP_MIGRATE && begun)
            judge_migration(move, failure);
        else
            fail(move, failure);
        return;
    }
    arrive(move);
}

MoveResult *
move_run(const MoveRequest *request, Peer *source, Peer *destination, const MoveObserver *observer,
         void *data, GCancellable *cancellable)
{
    MoveResult *result = move_result_new(request->guest, source, destination);
    Move move = {
        .request = request,
        .source = source,
        .destination = destination,
        .observer = observer,
        .data = data,
        .cancellable = cancellable,
        .inquiry = request->gate ? gate_inquire(request->gate) : NULL,
        .result = result,
    };
    gint64 start = g_get_monotonic_time();

    result->offline = request->offline;
    run_plan(&move);
    result->place =
        whereabouts_tell(source, destination, move.survey ? move.survey->uuid : request->guest);
    result->seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    gate_inquiry_free(move.inquiry);
    hold_free(move.detachment);
    hold_free(move.targets);
    hold_free(move.reservation);
    survey_free(move.survey);
    json_decref(move.sent);
    return result;
}
