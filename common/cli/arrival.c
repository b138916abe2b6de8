/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the wait for a guest's virtual functions on the destination. */
#include "common/cli/arrival.h"

#include "common/cli/job_call.h"
#include "common/fault.h"

#define ATTACH_SECONDS     90 /* above the daemon's attach-seconds, whose verdict we want to hear */
#define GUEST_WAIT_SECONDS 60
#define RETRY_USEC         (G_USEC_PER_SEC / 2)

void
arrival_clear(Arrival *arrival)
{
    json_decref(arrival->functions);
    g_free(arrival->active_port);
}

static json_t *
attach(Hold *reservation, void (*progress)(const json_t *progress, void *data), void *data,
       GError **error)
{
    json_t *parameters = hold_key(reservation);

    json_object_set_new(parameters, "waitSeconds", json_integer(GUEST_WAIT_SECONDS));
    return job_call(hold_peer(reservation),
                    &(JobCall) { .service = SERVICE_NETWORK,
                                 .method = "Attach",
                                 .parameters = parameters,
                                 .progress = progress,
                                 .data = data },
                    error);
}

static void
read_attached(const json_t *result, const Survey *survey, Arrival *ret_arrival)
{
    const json_t *bonds = json_object_get(result, "bonds");

    ret_arrival->functions = json_incref(json_object_get(result, "functions"));
    ret_arrival->active_port = g_strdup(survey_active_port(survey, bonds));
    ret_arrival->degraded = json_is_true(json_object_get(result, "degraded"));
}

static json_t *
functions_of(const json_t *vnics)
{
    json_t *functions = json_array();
    size_t i;
    json_t *vnic;

    json_array_foreach (vnics, i, vnic)
        json_array_append(functions, json_object_get(vnic, "function"));
    return functions;
}

/* The reservation is gone: the daemon had finished before we asked, so the guest tells the rest. */
static gboolean
read_guest(Peer *destination, const Survey *survey, Arrival *ret_arrival, GError **error)
{
    json_auto_t *described =
        peer_call(destination,
                  &(PeerCall) { .service = SERVICE_NETWORK,
                                .method = "Describe",
                                .parameters = json_pack("{s:s}", "guest", survey->uuid),
                                .timeout_seconds = PEER_CALL_SECONDS },
                  error);
    if (!described)
        return FALSE;
    const json_t *vnics = json_object_get(described, "vnics");
    const json_t *bonds = json_object_get(described, "bonds");
    ret_arrival->functions = functions_of(vnics);
    ret_arrival->active_port = g_strdup(survey_active_port(survey, bonds));
    ret_arrival->degraded = json_array_size(vnics) < json_array_size(survey->vnics);
    return TRUE;
}

static gboolean
may_pass(const GError *error)
{
    FaultCode code = fault_code(error);

    return code == FAULT_PEER_UNREACHABLE || code == FAULT_DAEMON_UNAVAILABLE ||
           code == FAULT_LEASE_BUSY || code == FAULT_GUEST_BUSY;
}

gboolean
arrival_watch(Hold *reservation, const Survey *survey,
              void (*progress)(const json_t *progress, void *data), void *data,
              Arrival *ret_arrival, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)ATTACH_SECONDS * G_USEC_PER_SEC;

    for (;;) {
        g_autoptr(GError) failure = NULL;
        json_auto_t *result = attach(reservation, progress, data, &failure);
        if (result) {
            read_attached(result, survey, ret_arrival);
            return TRUE;
        }
        if (fault_code(failure) == FAULT_LEASE_NOT_FOUND)
            return read_guest(hold_peer(reservation), survey, ret_arrival, error);
        if (!may_pass(failure) || g_get_monotonic_time() > deadline) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        g_usleep(RETRY_USEC); /* the way to the host is not ours to watch */
    }
}
