/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns a running job's name and the way to cancel it. */
#include "common/cli/job_call.h"

#include "common/fault.h"

/* Cancellation comes from another thread, maybe before the daemon has told the job's name. */
typedef struct {
    Peer *peer;
    const JobCall *call;
    GMutex lock;
    char *job;
    gboolean cancelled;
    GThread *canceller;
} RunningJob;

/* Failing is harmless: the job's end is awaited in any case. */
static void *
send_cancel(void *data)
{
    RunningJob *running = data;
    g_autoptr(GError) error = NULL;
    json_auto_t *reply =
        peer_call(running->peer,
                  &(PeerCall) { .service = running->call->service,
                                .method = "CancelJob",
                                .parameters = json_pack("{s:s}", "job", running->job),
                                .timeout_seconds = PEER_CALL_SECONDS },
                  &error);
    if (!reply)
        g_debug("cancelling job %s: %s", running->job, error->message);
    return NULL;
}

static void
cancel_if_possible(RunningJob *running)
{
    if (running->cancelled && running->job && !running->canceller)
        running->canceller = g_thread_new("cancel", send_cancel, running);
}

static void
on_cancelled(GCancellable *cancellable, void *data)
{
    RunningJob *running = data;

    g_mutex_lock(&running->lock);
    running->cancelled = TRUE;
    cancel_if_possible(running);
    g_mutex_unlock(&running->lock);
}

static void
on_reply(const json_t *parameters, void *data)
{
    RunningJob *running = data;
    const json_t *progress = json_object_get(parameters, "progress");

    g_mutex_lock(&running->lock);
    if (!running->job)
        running->job = g_strdup(json_string_value(json_object_get(parameters, "job")));
    cancel_if_possible(running);
    g_mutex_unlock(&running->lock);
    if (json_is_object(progress) && running->call->progress)
        running->call->progress(progress, running->call->data);
}

static json_t *
take_result(json_t *reply, const JobCall *call, GError **error)
{
    json_t *result = json_object_get(reply, "result");

    if (json_is_object(result))
        return json_incref(result);
    fault_set(error, FAULT_INTERNAL, service_daemon(call->service),
              "update the daemon and this command to the same version", "%s ended without a result",
              call->method);
    return NULL;
}

json_t *
job_call(Peer *peer, const JobCall *call, GError **error)
{
    RunningJob running = { .peer = peer, .call = call };
    gulong handler = 0;

    g_mutex_init(&running.lock);
    if (call->cancellable)
        handler =
            g_cancellable_connect(call->cancellable, G_CALLBACK(on_cancelled), &running, NULL);
    json_auto_t *reply = peer_call(peer,
                                   &(PeerCall) { .service = call->service,
                                                 .method = call->method,
                                                 .parameters = call->parameters,
                                                 .progress = on_reply,
                                                 .data = &running },
                                   error);
    g_cancellable_disconnect(call->cancellable, handler);
    if (running.canceller)
        g_thread_join(running.canceller);
    g_mutex_clear(&running.lock);
    g_free(running.job);
    return reply ? take_result(reply, call, error) : NULL;
}
