/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the decisions of a drain: who is next, what becomes of a failure, and when all is over. */
#include "common/cli/drain.h"

#include <string.h>

#include "common/cli/drain_work.h"
#include "common/fault.h"

#define TRIES 3 /* of one guest */

typedef enum {
    STATE_WAITING,
    STATE_RUNNING,
    STATE_TO_STOP, /* its fallback is to be done */
    STATE_OVER,
} State;

/* What is known of one guest while it is drained. */
typedef struct {
    State state;
    gint64 due_usec;   /* not before */
    gint64 began_usec; /* 0: not yet */
    unsigned tries;
    gboolean *tried; /* by host: where it was not to be had */
    DrainEnd end;
} Track;

typedef struct {
    const DrainTask *task;
    DrainPlan *plan;
    Track *tracks; /* as the plan's items */
    unsigned *coming;
    unsigned leaving, running;
    GAsyncQueue *done; /* of DrainWork *; the drain itself: look again */
    GMutex lock;
} Drain;

static DrainItem *
item_of(const Drain *drain, guint item)
{
    return drain->plan->items->pdata[item];
}

static PlacementGuest *
place_of(const Drain *drain, guint item)
{
    return drain->plan->placement->guests->pdata[item_of(drain, item)->number];
}

static gboolean
is_stopped(const Drain *drain)
{
    return g_cancellable_is_cancelled(drain->task->stop);
}

/* The end of a guest. */

static void
end(Drain *drain, guint item, DrainOutcome outcome, const char *host, GError *error)
{
    Track *track = &drain->tracks[item];
    gint64 began = track->began_usec ? track->began_usec : g_get_monotonic_time();

    track->state = STATE_OVER;
    track->end = (DrainEnd) { outcome, g_strdup(host),
                              (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC, error };
    drain_work_tell(drain->task, &drain->lock,
                    &(DrainEvent) { .kind = DRAIN_EVENT_OVER,
                                    .item = item,
                                    .guest = item_of(drain, item)->guest,
                                    .host = host,
                                    .error = error,
                                    .outcome = outcome,
                                    .seconds = track->end.seconds });
}

static void
end_cancelled(Drain *drain, guint item, GError *error)
{
    const DrainItem *who = item_of(drain, item);
    g_autofree char *object = g_strdup_printf("guest '%s'", who->guest->name);

    if (!error)
        fault_set(&error, FAULT_CANCELLED, object, "run the command again to go on",
                  "the drain was cancelled");
    end(drain, item, DRAIN_CANCELLED, NULL, error);
}

static Fallback
fallback_of(const Drain *drain, guint item)
{
    if (drain->task->fallback >= 0)
        return (Fallback)drain->task->fallback;
    return (Fallback)drain_guest_policy(item_of(drain, item)->guest, POLICY_FALLBACK);
}

/* It cannot leave: @error (taken over) is why, @outcome what that is called if it stays. */
static void
fall_back(Drain *drain, guint item, DrainOutcome outcome, GError *error)
{
    gboolean runs = g_str_equal(item_of(drain, item)->guest->state, "running");

    if (fallback_of(drain, item) == FALLBACK_LEAVE || !runs) {
        end(drain, item, outcome, NULL, error);
        return;
    }
    g_error_free(error);
    drain->tracks[item].state = STATE_TO_STOP;
}

/* Beginning. */

static void
begin(Drain *drain, guint item, DrainWorkKind kind, Peer *destination, unsigned coming)
{
    static const char *const words[] = { NULL, "hibernate", "shutdown" };
    static const DrainOutcome outcomes[] = { DRAIN_MOVED, DRAIN_HIBERNATED, DRAIN_SHUT_DOWN };
    Track *track = &drain->tracks[item];
    DrainWork *work = g_new0(DrainWork, 1);

    track->state = STATE_RUNNING;
    if (!track->began_usec)
        track->began_usec = g_get_monotonic_time();
    drain->running++;
    drain->leaving++;
    *work = (DrainWork) { .task = drain->task,
                          .lock = &drain->lock,
                          .done = drain->done,
                          .kind = kind,
                          .item = item,
                          .guest = item_of(drain, item)->guest,
                          .destination = destination,
                          .leaving = drain->leaving,
                          .coming = coming };
    drain_work_tell(drain->task, &drain->lock,
                    &(DrainEvent) { .kind = DRAIN_EVENT_STARTED,
                                    .item = item,
                                    .guest = work->guest,
                                    .host = destination ? peer_host(destination) : NULL,
                                    .outcome = outcomes[kind],
                                    .text = words[kind] });
    drain_work_start(work);
}

/* The item whose turn it is; -1: none. */
static int
next_move(const Drain *drain)
{
    const Placement *placement = drain->plan->placement;
    g_autofree gboolean *waiting = g_new0(gboolean, placement->guests->len + 1);
    g_autofree guint *items = g_new0(guint, placement->guests->len + 1);
    const ScheduleState state = { waiting, drain->coming, drain->leaving };
    gint64 now = g_get_monotonic_time();

    for (guint i = 0; i < drain->plan->items->len; i++) {
        int number = item_of(drain, i)->number;

        if (number < 0)
            continue;
        items[number] = i;
        waiting[number] =
            drain->tracks[i].state == STATE_WAITING && drain->tracks[i].due_usec <= now;
    }
    int next = schedule_next(placement, &drain->plan->rules.limits, &state);
    return next < 0 ? -1 : (int)items[next];
}

static void
begin_moves(Drain *drain)
{
    int item;

    while ((item = next_move(drain)) >= 0) {
        int host = place_of(drain, (guint)item)->host;

        drain->coming[host]++;
        begin(drain, (guint)item, DRAIN_WORK_MOVE, drain->task->destinations->pdata[host],
              drain->coming[host]);
    }
}

static void
begin_stops(Drain *drain)
{
    for (guint i = 0; i < drain->plan->items->len; i++) {
        if (drain->tracks[i].state != STATE_TO_STOP ||
            drain->leaving >= drain->plan->rules.limits.out)
            continue;
        begin(drain, i,
              fallback_of(drain, i) == FALLBACK_HIBERNATE ? DRAIN_WORK_HIBERNATE
                                                          : DRAIN_WORK_SHUT_DOWN,
              NULL, 0);
    }
}

static void
cancel_waiting(Drain *drain)
{
    for (guint i = 0; i < drain->plan->items->len; i++) {
        State state = drain->tracks[i].state;

        if (state == STATE_WAITING || state == STATE_TO_STOP)
            end_cancelled(drain, i, NULL);
    }
}

/* What came of it. */

static void
retry(Drain *drain, guint item, const char *text, const GError *error, guint64 pause_msec)
{
    Track *track = &drain->tracks[item];
    int host = place_of(drain, item)->host;

    track->state = STATE_WAITING;
    track->due_usec = g_get_monotonic_time() + (gint64)pause_msec * 1000;
    drain_work_tell(drain->task, &drain->lock,
                    &(DrainEvent) { .kind = DRAIN_EVENT_RETRY,
                                    .item = item,
                                    .guest = item_of(drain, item)->guest,
                                    .host = ((DrainHost *)drain->plan->hosts->pdata[host])->name,
                                    .text = text,
                                    .error = error });
}

/* To a host where it was not tried yet, or else to the same one. */
static void
try_again(Drain *drain, guint item, const GError *error)
{
    Track *track = &drain->tracks[item];
    guint number = (guint)item_of(drain, item)->number;

    track->tried[place_of(drain, item)->host] = TRUE;
    (void)placement_place_elsewhere(drain->plan->placement, number, track->tried);
    retry(drain, item, NULL, error, (guint64)drain->task->retry_msec << (track->tries - 1));
}

static gboolean
is_gone(const GError *error)
{
    return fault_code(error) == FAULT_GUEST_NOT_FOUND ||
           fault_code(error) == FAULT_GUEST_NOT_RUNNING;
}

static void
take_failure(Drain *drain, guint item, MoveResult *result)
{
    GError *error = g_steal_pointer(&result->error);

    drain->tracks[item].tries++;
    if (!result->restored) {
        end(drain, item, DRAIN_FAILED, NULL, error);
    } else if (is_gone(error)) {
        end(drain, item, DRAIN_GONE, NULL, error);
    } else if (is_stopped(drain)) {
        end_cancelled(drain, item, error);
    } else if (drain->tracks[item].tries < TRIES) {
        try_again(drain, item, error);
        g_error_free(error);
    } else {
        fall_back(drain, item, DRAIN_FAILED, error);
    }
}

static void
take_move(Drain *drain, DrainWork *work)
{
    drain->coming[place_of(drain, work->item)->host]--;
    if (work->busy && is_stopped(drain)) {
        end_cancelled(drain, work->item, NULL);
        return;
    }
    if (work->busy) {
        retry(drain, work->item, work->busy, NULL, drain->task->retry_msec);
        return;
    }
    switch (work->result->outcome) {
    case MOVE_OUTCOME_MOVED:
        end(drain, work->item, DRAIN_MOVED, work->result->to, NULL);
        return;
    case MOVE_OUTCOME_DEGRADED:
        end(drain, work->item, DRAIN_DEGRADED, work->result->to,
            g_steal_pointer(&work->result->error));
        return;
    case MOVE_OUTCOME_FAILED:
        take_failure(drain, work->item, work->result);
        return;
    }
}

static void
take_stop(Drain *drain, DrainWork *work)
{
    if (!work->error)
        end(drain, work->item,
            work->kind == DRAIN_WORK_HIBERNATE ? DRAIN_HIBERNATED : DRAIN_SHUT_DOWN, NULL, NULL);
    else if (is_gone(work->error))
        end(drain, work->item, DRAIN_GONE, NULL, g_steal_pointer(&work->error));
    else if (fault_code(work->error) == FAULT_CANCELLED)
        end_cancelled(drain, work->item, g_steal_pointer(&work->error));
    else
        end(drain, work->item, DRAIN_FAILED, NULL, g_steal_pointer(&work->error));
}

static void
take(Drain *drain, DrainWork *work)
{
    drain->running--;
    drain->leaving--;
    if (work->kind == DRAIN_WORK_MOVE)
        take_move(drain, work);
    else
        take_stop(drain, work);
    drain_work_free(work);
}

/* The whole. */

static void
set_up(Drain *drain)
{
    for (guint i = 0; i < drain->plan->items->len; i++) {
        const DrainItem *item = item_of(drain, i);
        g_autofree char *object = g_strdup_printf("guest '%s'", item->guest->name);
        GError *error = NULL;

        drain->tracks[i].tried = g_new0(gboolean, drain->plan->hosts->len + 1);
        if (!item->reason)
            continue;
        fault_set(&error, FAULT_CHECK_FAILED, object,
                  "'migprep drain --dry-run' shows all reasons; 'migprep policy' sets what becomes "
                  "of it",
                  "cannot leave: %s", item->reason);
        fall_back(drain, i, DRAIN_LEFT, error);
    }
}

/* When the first that waits for its time is due; G_MAXINT64: none does. */
static gint64
next_due(const Drain *drain)
{
    gint64 due = G_MAXINT64;

    for (guint i = 0; i < drain->plan->items->len; i++) {
        if (drain->tracks[i].state == STATE_WAITING)
            due = MIN(due, drain->tracks[i].due_usec);
    }
    return due;
}

/* A guest that is due, but has to let others go first, waits for their end. */
static void
wait_for_something(Drain *drain)
{
    gint64 now = g_get_monotonic_time(), due = next_due(drain);
    void *message = due > now && due < G_MAXINT64
                        ? g_async_queue_timeout_pop(drain->done, (guint64)(due - now))
                        : g_async_queue_pop(drain->done);

    if (message && message != drain)
        take(drain, message);
}

static gboolean
is_over(const Drain *drain)
{
    for (guint i = 0; i < drain->plan->items->len; i++) {
        if (drain->tracks[i].state != STATE_OVER)
            return FALSE;
    }
    return TRUE;
}

static void
work_through(Drain *drain)
{
    set_up(drain);
    for (;;) {
        if (is_stopped(drain)) {
            cancel_waiting(drain);
        } else {
            begin_moves(drain);
            begin_stops(drain);
        }
        if (is_over(drain))
            return;
        wait_for_something(drain);
    }
}

static DrainResult *
conclude(Drain *drain, gint64 start)
{
    DrainResult *result = g_new0(DrainResult, 1);
    guint staying = 0, gone = 0;

    result->ends = g_array_new(FALSE, FALSE, sizeof(DrainEnd));
    for (guint i = 0; i < drain->plan->items->len; i++) {
        DrainOutcome outcome = drain->tracks[i].end.outcome;

        g_array_append_val(result->ends, drain->tracks[i].end);
        g_free(drain->tracks[i].tried);
        if (outcome == DRAIN_LEFT || outcome == DRAIN_FAILED || outcome == DRAIN_CANCELLED)
            staying++;
        else
            gone++;
    }
    result->kind = staying == 0        ? DRAIN_RESULT_DRAINED
                   : is_stopped(drain) ? DRAIN_RESULT_CANCELLED
                   : gone > 0          ? DRAIN_RESULT_PARTLY
                                       : DRAIN_RESULT_BLOCKED;
    result->seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC;
    return result;
}

static void
wake(GCancellable *cancellable, void *data)
{
    Drain *drain = data;

    g_async_queue_push(drain->done, drain);
}

DrainResult *
drain_run(const DrainTask *task)
{
    g_autofree Track *tracks = g_new0(Track, task->plan->items->len + 1);
    g_autofree unsigned *coming = g_new0(unsigned, task->plan->hosts->len + 1);
    Drain drain = { .task = task,
                    .plan = task->plan,
                    .tracks = tracks,
                    .coming = coming,
                    .done = g_async_queue_new() };
    gint64 start = g_get_monotonic_time();

    g_mutex_init(&drain.lock);
    gulong handler =
        task->stop ? g_cancellable_connect(task->stop, G_CALLBACK(wake), &drain, NULL) : 0;
    work_through(&drain);
    g_cancellable_disconnect(task->stop, handler);
    DrainResult *result = conclude(&drain, start);
    g_async_queue_unref(drain.done);
    g_mutex_clear(&drain.lock);
    return result;
}

void
drain_result_free(DrainResult *result)
{
    if (!result)
        return;
    for (guint i = 0; i < result->ends->len; i++) {
        DrainEnd *ended = &g_array_index(result->ends, DrainEnd, i);

        g_free(ended->host);
        g_clear_error(&ended->error);
    }
    g_array_unref(result->ends);
    g_free(result);
}

const char *
drain_outcome_name(DrainOutcome outcome)
{
    static const char *const names[] = { "pending", "moved", "degraded", "hibernated", "shut-down",
                                         "gone",    "left",  "failed",   "cancelled" };

    return names[outcome];
}

const char *
drain_event_name(DrainEventKind kind)
{
    static const char *const names[] = { "started", "step", "progress", "note", "retry", "over" };

    return names[kind];
}

const char *
drain_event_reason(const DrainEvent *event)
{
    g_autofree char *again = g_strdup_printf("guest '%s': ", event->guest->name);

    if (!event->error)
        return event->text;
    return g_str_has_prefix(event->error->message, again) ? event->error->message + strlen(again)
                                                          : event->error->message;
}

const char *
drain_result_name(DrainResultKind kind)
{
    static const char *const names[] = { "drained", "partly", "blocked", "cancelled" };

    return names[kind];
}
