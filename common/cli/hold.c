/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns a lease's name, its renewal and its release. */
#include "common/cli/hold.h"

#include "common/cli/job_call.h"
#include "common/fault.h"

#define RETRY_USEC (G_USEC_PER_SEC / 2)

struct Hold {
    Peer *peer;
    Service service;
    char *what;
    char *token;
    unsigned lease_seconds;
    char *lease; /* NULL: not held */
    gint64 generation;
    GThread *renewer;
    GCancellable *ended; /* wakes the renewer and ends its call */
};

Hold *
hold_new(Peer *peer, Service service, const char *what, unsigned lease_seconds)
{
    Hold *hold = g_new0(Hold, 1);

    hold->peer = peer;
    hold->service = service;
    hold->what = g_strdup(what);
    hold->token = g_uuid_string_random();
    hold->lease_seconds = lease_seconds;
    hold->ended = g_cancellable_new();
    return hold;
}

static void
stop_renewing(Hold *hold)
{
    g_cancellable_cancel(hold->ended);
    if (hold->renewer)
        g_thread_join(g_steal_pointer(&hold->renewer));
}

void
hold_free(Hold *hold)
{
    if (!hold)
        return;
    stop_renewing(hold);
    g_object_unref(hold->ended);
    g_free(hold->what);
    g_free(hold->token);
    g_free(hold->lease);
    g_free(hold);
}

const char *
hold_what(const Hold *hold)
{
    return hold->what;
}

Peer *
hold_peer(const Hold *hold)
{
    return hold->peer;
}

const char *
hold_token(const Hold *hold)
{
    return hold->token;
}

json_t *
hold_key(const Hold *hold)
{
    return json_pack("{s:s, s:I}", "lease", hold->lease, "generation",
                     (json_int_t)hold->generation);
}

gboolean
hold_is_held(const Hold *hold)
{
    return hold->lease != NULL;
}

static gboolean
renew(Hold *hold, GError **error)
{
    json_t *parameters = hold_key(hold);

    json_object_set_new(parameters, "timeoutSeconds", json_integer(hold->lease_seconds));
    json_auto_t *reply = peer_call(hold->peer,
                                   &(PeerCall) { .service = hold->service,
                                                 .method = "Renew",
                                                 .parameters = parameters,
                                                 .timeout_seconds = MAX(hold->lease_seconds / 3, 1),
                                                 .cancellable = hold->ended },
                                   error);
    return reply != NULL;
}

/* The lease ended by itself: its daemon saw the guest arrive or leave. */
static gboolean
is_over(const GError *error)
{
    return fault_code(error) == FAULT_LEASE_NOT_FOUND ||
           fault_code(error) == FAULT_STALE_GENERATION;
}

/* TRUE when woken by the end of the hold. */
static gboolean
wait_for_end(Hold *hold, int milliseconds)
{
    GPollFD descriptor;

    if (!g_cancellable_make_pollfd(hold->ended, &descriptor)) {
        g_usleep((gulong)milliseconds * 1000);
        return g_cancellable_is_cancelled(hold->ended);
    }
    g_poll(&descriptor, 1, milliseconds);
    g_cancellable_release_fd(hold->ended);
    return g_cancellable_is_cancelled(hold->ended);
}

/* A renewal that fails is tried again at the next third; after that the daemon's rules decide. */
static void *
renew_until_ended(void *data)
{
    Hold *hold = data;
    int third = (int)(hold->lease_seconds * 1000 / 3);

    while (!wait_for_end(hold, third)) {
        g_autoptr(GError) error = NULL;
        if (renew(hold, &error))
            continue;
        g_debug("renewing %s on %s: %s", hold->what, peer_host(hold->peer), error->message);
        if (is_over(error))
            break;
    }
    return NULL;
}

gboolean
hold_keep(Hold *hold, const json_t *lease, GError **error)
{
    const char *id = json_string_value(json_object_get(lease, "lease"));
    const json_t *generation = json_object_get(lease, "generation");

    if (!id || !json_is_integer(generation)) {
        fault_set(error, FAULT_INTERNAL, service_daemon(hold->service),
                  "update the daemon and this command to the same version",
                  "answered without a lease");
        return FALSE;
    }
    hold->lease = g_strdup(id);
    hold->generation = json_integer_value(generation);
    hold->renewer = g_thread_new("renew", renew_until_ended, hold);
    return TRUE;
}

static const json_t *
find_by_token(const json_t *leases, const char *token)
{
    size_t i;
    json_t *lease;

    json_array_foreach (leases, i, lease) {
        if (g_strcmp0(json_string_value(json_object_get(lease, "token")), token) == 0)
            return lease;
    }
    return NULL;
}

gboolean
hold_recover(Hold *hold, GError **error)
{
    json_auto_t *reply = peer_call(hold->peer,
                                   &(PeerCall) { .service = hold->service,
                                                 .method = "ListLeases",
                                                 .timeout_seconds = PEER_CALL_SECONDS },
                                   error);
    if (!reply)
        return FALSE;
    const json_t *lease = find_by_token(json_object_get(reply, "leases"), hold->token);
    return !lease || hold_keep(hold, lease, error);
}

/* The network's Release is a job, as it waits for a guest; the storage's is not. */
static const char *
release_once(Hold *hold, GError **error)
{
    if (hold->service == SERVICE_NETWORK) {
        json_auto_t *result = job_call(hold->peer,
                                       &(JobCall) { .service = hold->service,
                                                    .method = "Release",
                                                    .parameters = hold_key(hold) },
                                       error);
        const char *outcome = json_string_value(json_object_get(result, "outcome"));
        return result ? g_intern_string(outcome ? outcome : "gone") : NULL;
    }
    json_auto_t *reply = peer_call(hold->peer,
                                   &(PeerCall) { .service = hold->service,
                                                 .method = "Release",
                                                 .parameters = hold_key(hold),
                                                 .timeout_seconds = PEER_CALL_SECONDS },
                                   error);
    if (!reply)
        return NULL;
    return json_is_true(json_object_get(reply, "kept")) ? "kept" : "removed";
}

static gboolean
is_busy(const GError *error)
{
    return fault_code(error) == FAULT_LEASE_BUSY || fault_code(error) == FAULT_GUEST_BUSY;
}

gboolean
hold_release(Hold *hold, const char **ret_outcome, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)hold->lease_seconds * G_USEC_PER_SEC;
    const char *outcome = NULL;

    while (!outcome) {
        g_autoptr(GError) failure = NULL;
        outcome = release_once(hold, &failure);
        if (!outcome && is_over(failure))
            outcome = "gone";
        if (outcome)
            break;
        if (!is_busy(failure) || g_get_monotonic_time() > deadline) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        g_usleep(RETRY_USEC); /* whoever keeps it busy does not tell us when it is done */
    }
    stop_renewing(hold);
    g_clear_pointer(&hold->lease, g_free);
    *ret_outcome = outcome;
    return TRUE;
}
