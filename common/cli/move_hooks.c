/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/move_hooks.h"

#include "common/cli/job_call.h"
#include "common/guest_hooks.h"

static gboolean
has(const Move *move, GuestHooksPhase phase)
{
    size_t i;
    json_t *name;

    if (move->request->offline || move_has_vnics(move))
        return FALSE;
    json_array_foreach (move->survey->hooks, i, name) {
        if (g_strcmp0(json_string_value(name), guest_hooks_phase_name(phase)) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
report_progress(const json_t *progress, void *data)
{
    move_report_waiting(data, MOVE_STEP_MIGRATE, progress);
}

static gboolean
run(Move *move, Peer *peer, GuestHooksPhase phase, GCancellable *cancellable, GError **error)
{
    json_auto_t *result =
        job_call(peer,
                 &(JobCall) { .service = SERVICE_NETWORK,
                              .method = "RunHooks",
                              .parameters = json_pack("{s:s, s:s}", "guest", move->survey->uuid,
                                                      "phase", guest_hooks_phase_name(phase)),
                              .progress = report_progress,
                              .data = move,
                              .cancellable = cancellable },
                 error);

    return result != NULL;
}

gboolean
move_hooks_before(Move *move, GError **error)
{
    if (!has(move, GUEST_HOOKS_BEFORE_MIGRATION)) {
        move->rests = has(move, GUEST_HOOKS_AFTER_MIGRATION);
        return TRUE;
    }
    move->rests = TRUE; /* also if one failed: others ran before it */
    return run(move, move->source, GUEST_HOOKS_BEFORE_MIGRATION, move->cancellable, error);
}

void
move_hooks_after(Move *move, Peer *peer)
{
    g_autoptr(GError) error = NULL;

    if (!move->rests || run(move, peer, GUEST_HOOKS_AFTER_MIGRATION, NULL, &error))
        return;
    g_autofree char *note =
        g_strdup_printf("the guest's hooks did not all run: %s", error->message);
    move->observer->note(note, move->data);
}
