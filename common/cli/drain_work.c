/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the threads of a drain. */
#include "common/cli/drain_work.h"

#include "common/cli/drain_busy.h"
#include "common/cli/gate.h"
#include "common/cli/job_call.h"
#include "common/fault.h"

void
drain_work_free(DrainWork *work)
{
    move_result_free(work->result);
    g_clear_error(&work->error);
    g_free(work->busy);
    g_free(work);
}

void
drain_work_tell(const DrainTask *task, GMutex *lock, const DrainEvent *event)
{
    g_mutex_lock(lock);
    task->tell(event, task->data);
    g_mutex_unlock(lock);
}

static void
tell(const DrainWork *work, DrainEventKind kind, const char *text, const MoveProgress *progress)
{
    const DrainEvent event = {
        .kind = kind,
        .item = work->item,
        .guest = work->guest,
        .host = work->destination ? peer_host(work->destination) : NULL,
        .text = text,
        .progress = progress,
    };

    drain_work_tell(work->task, work->lock, &event);
}

static void
on_event(const MoveEvent *event, void *data)
{
    if (event->state == MOVE_STATE_STARTED)
        tell(data, DRAIN_EVENT_STEP, move_step_name(event->step), NULL);
}

static void
on_progress(const MoveProgress *progress, void *data)
{
    tell(data, DRAIN_EVENT_PROGRESS, NULL, progress);
}

static void
on_waiting(MoveStep step, const char *what, void *data)
{
}

static void
on_note(const char *sentence, void *data)
{
    tell(data, DRAIN_EVENT_NOTE, sentence, NULL);
}

static void
move(DrainWork *work)
{
    static const MoveObserver observer = { on_event, on_progress, on_waiting, on_note };
    const DrainTask *task = work->task;
    const Gate gate = { .source = task->source,
                        .destination = work->destination,
                        .guest = work->guest->uuid,
                        .cancellable = task->cancel };
    const MoveRequest request = { .guest = work->guest->uuid,
                                  .gate = &gate,
                                  .lease_seconds = task->lease_seconds };

    work->result =
        move_run(&request, task->source, work->destination, &observer, work, task->cancel);
}

static void
stop(DrainWork *work)
{
    const char *how = work->kind == DRAIN_WORK_HIBERNATE ? "hibernate" : "shutdown";
    const JobCall call = {
        .service = SERVICE_STORAGE,
        .method = "StopGuest",
        .parameters = json_pack("{s:s, s:s, s:i}", "guest", work->guest->uuid, "how", how,
                                "timeoutSeconds", (int)work->task->shutdown_seconds),
        .cancellable = work->task->cancel,
    };

    json_decref(job_call(work->task->source, &call, &work->error));
}

static void *
run(void *data)
{
    DrainWork *work = data;

    if (work->kind != DRAIN_WORK_MOVE)
        stop(work);
    else if (!(work->busy = drain_busy(work)))
        move(work);
    g_async_queue_push(work->done, work);
    return NULL;
}

void
drain_work_start(DrainWork *work)
{
    g_thread_unref(g_thread_new("drain", run, work));
}
