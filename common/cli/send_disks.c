/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the joining of disks on the source with their targets on the destination. */
#include "common/cli/send_disks.h"

#include "common/cli/job_call.h"
#include "common/cli/reply.h"
#include "common/fault.h"

static json_t *
open_targets(const Move *move, GError **error)
{
    return peer_call(move->destination,
                     &(PeerCall) { .service = SERVICE_STORAGE,
                                   .method = "OpenTargets",
                                   .parameters = hold_key(move->targets),
                                   .timeout_seconds = PEER_CALL_SECONDS,
                                   .cancellable = move->cancellable },
                     error);
}

static gboolean
close_targets(const Move *move, GError **error)
{
    json_auto_t *reply = peer_call(move->destination,
                                   &(PeerCall) { .service = SERVICE_STORAGE,
                                                 .method = "CloseTargets",
                                                 .parameters = hold_key(move->targets),
                                                 .timeout_seconds = PEER_CALL_SECONDS },
                                   error);

    return reply != NULL;
}

static const json_t *
find_served(const json_t *served, const char *path)
{
    for (size_t i = 0; i < json_array_size(served); i++) {
        const json_t *target = json_array_get(served, i);

        if (g_strcmp0(reply_text(target, "path"), path) == 0)
            return target;
    }
    return NULL;
}

/* Each copied disk with the socket behind which its target is. */
static json_t *
join(const Move *move, const json_t *served, GError **error)
{
    json_auto_t *disks = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (move->survey->disks, i, disk) {
        const json_t *target = find_served(served, reply_text(disk, "path"));

        if (g_strcmp0(reply_text(disk, "migration"), "copy") != 0)
            continue;
        if (!target) {
            fault_set(error, FAULT_INTERNAL, peer_host(move->destination), "update storprepd there",
                      "it does not serve all targets");
            return NULL;
        }
        json_array_append_new(
            disks, json_pack("{s:s, s:O, s:O}", "target", reply_text(disk, "target"), "socket",
                             json_object_get(target, "socket"), "virtualSizeBytes",
                             json_object_get(target, "virtualSizeBytes")));
    }
    return json_incref(disks);
}

static json_t *
pack_parameters(const Move *move, json_t *disks)
{
    const json_t *bandwidth = json_object_get(move->request->options, "bandwidthMebibytes");
    json_t *parameters =
        json_pack("{s:s, s:s, s:o, s:b}", "guest", move->survey->uuid, "host",
                  peer_host(move->destination), "disks", disks, "verify", move->request->verify);

    if (bandwidth)
        json_object_set(parameters, "bandwidthMebibytes", (json_t *)bandwidth);
    return parameters;
}

static void
progress(const json_t *told, void *data)
{
    move_report_transfer(data, MOVE_STEP_SEND_DISKS, told);
}

gboolean
send_disks(Move *move, GError **error)
{
    json_auto_t *opened = open_targets(move, error);
    json_t *disks = opened ? join(move, json_object_get(opened, "targets"), error) : NULL;
    json_auto_t *sent = disks ? job_call(move->source,
                                         &(JobCall) { .service = SERVICE_STORAGE,
                                                      .method = "SendDisks",
                                                      .parameters = pack_parameters(move, disks),
                                                      .progress = progress,
                                                      .data = move,
                                                      .cancellable = move->cancellable },
                                         error)
                              : NULL;

    if (!sent || !close_targets(move, error))
        return FALSE;
    move->sent = json_incref(json_object_get(sent, "disks"));
    return TRUE;
}
