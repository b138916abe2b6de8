/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the steps up to and including the migration: each does its one thing and keeps the lease
 * that undoes it. */
#include "common/cli/move_step.h"

#include "common/cli/base_images.h"
#include "common/cli/job_call.h"
#include "common/cli/move_hooks.h"
#include "common/cli/send_disks.h"
#include "common/cli/shared_disks.h"
#include "common/fault.h"

static void
note_text(char **slot, const char *value)
{
    g_free(*slot);
    *slot = g_strdup(value);
}

static char *
owner_name(void)
{
    return g_strdup_printf("migprep on %s", g_get_host_name());
}

static gboolean
describe_source(Move *move, GError **error)
{
    const SurveyQuestion question = { .guest = move->request->guest,
                                      .offline = move->request->offline,
                                      .bond_may_be_missing = move->request->set_up_bond };
    Survey *survey = survey_source(move->source, &question, move->cancellable, error);
    if (!survey)
        return FALSE;
    /* After a bond was set up: what was proven about the disks since stays. */
    if (move->survey) {
        json_decref(survey->disks);
        survey->disks = json_incref(move->survey->disks);
    }
    survey_free(move->survey);
    move->survey = survey;
    json_decref(move->result->left);
    move->result->left = json_incref(survey->left);
    note_text(&move->result->guest, survey->name);
    note_text(&move->result->active_before, survey_active_port(survey, survey->bonds));
    return TRUE;
}

/* What cannot be moved without the guest's help. */
static gboolean
check_offline(const Move *move, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", move->survey->name);

    if (!survey_has_vnics(move->survey))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, object,
              "start it and move it live, or detach the device and attach one of the other host",
              "its definition names virtual functions of this host");
    return FALSE;
}

static gboolean
follow_xml(Move *move, GError **error)
{
    const char *xml = json_string_value(json_object_get(move->request->options, "destinationXml"));

    return !xml || survey_follow_xml(move->survey, xml, error);
}

gboolean
move_pass_gate(Move *move, GError **error)
{
    g_autoptr(GateInquiry) inquiry = g_steal_pointer(&move->inquiry);

    return !inquiry || gate_pass(inquiry, move->observer, move->data, error);
}

/* What is there is asked while the checks still run; the proof places files, so it follows them. */
static gboolean
prove_shared_disks(Move *move, GError **error)
{
    json_auto_t *there =
        shared_disks_look(move->destination, move->survey, move->cancellable, error);

    return there && move_pass_gate(move, error) &&
           shared_disks_prove(move->source, move->destination, move->survey, there,
                              move->cancellable, error);
}

static gboolean
describe_destination(Move *move, GError **error)
{
    const json_t *paths = json_object_get(move->request->options, "diskPaths");

    return survey_place_disks(move->survey, paths, error) &&
           survey_destination(move->destination, move->survey, move->cancellable, error) &&
           prove_shared_disks(move, error) && survey_check_disks(move->survey, TRUE, error) &&
           survey_choose_disks(move->survey, move->request->disks, move->request->unsafe, error) &&
           follow_xml(move, error) && (!move->request->offline || check_offline(move, error));
}

void
move_report_waiting(const Move *move, MoveStep step, const json_t *progress)
{
    const char *guest = json_string_value(json_object_get(progress, "waitingFor"));
    const char *what = json_string_value(json_object_get(progress, "step"));

    if (what) {
        g_autofree char *text =
            guest ? g_strdup_printf("%s, waiting for %s", what, guest) : g_strdup(what);
        move->observer->waiting(step, text, move->data);
    }
}

static void
bond_progress(const json_t *progress, void *data)
{
    move_report_waiting(data, MOVE_STEP_SET_UP_BOND, progress);
}

static gboolean
set_up_bond(Move *move, GError **error)
{
    json_auto_t *bond =
        job_call(move->source,
                 &(JobCall) { .service = SERVICE_NETWORK,
                              .method = "SetUpBond",
                              .parameters = json_pack("{s:s}", "guest", move->survey->uuid),
                              .progress = bond_progress,
                              .data = move,
                              .cancellable = move->cancellable },
                 error);
    return bond && describe_source(move, error);
}

static gboolean
reserve_functions(Move *move, GError **error)
{
    g_autofree char *owner = owner_name();

    move->reservation = hold_new(move->destination, SERVICE_NETWORK, "reserved functions",
                                 move->request->lease_seconds);
    json_auto_t *reply = peer_call(
        move->destination,
        &(PeerCall) { .service = SERVICE_NETWORK,
                      .method = "Reserve",
                      .parameters = json_pack("{s:s, s:s, s:O, s:O, s:i}", "owner", owner, "token",
                                              hold_token(move->reservation), "guest",
                                              move->survey->guest, "vnics", move->survey->vnics,
                                              "timeoutSeconds", (int)move->request->lease_seconds),
                      .timeout_seconds = PEER_CALL_SECONDS },
        error);
    return reply && hold_keep(move->reservation, json_object_get(reply, "lease"), error);
}

static gboolean
create_targets(Move *move, GError **error)
{
    g_autofree char *owner = owner_name();
    json_auto_t *targets = survey_targets(move->survey);

    if (json_is_true(json_object_get(move->request->options, "incremental")) &&
        !base_images_add(move->source, move->survey, targets, move->cancellable, error))
        return FALSE;
    move->targets =
        hold_new(move->destination, SERVICE_STORAGE, "target files", move->request->lease_seconds);
    json_auto_t *reply = peer_call(
        move->destination,
        &(PeerCall) { .service = SERVICE_STORAGE,
                      .method = "CreateTargets",
                      .parameters = json_pack("{s:s, s:s, s:O, s:O, s:i}", "owner", owner, "token",
                                              hold_token(move->targets), "guest",
                                              move->survey->guest, "targets", targets,
                                              "timeoutSeconds", (int)move->request->lease_seconds),
                      .timeout_seconds = PEER_CALL_SECONDS },
        error);
    return reply && hold_keep(move->targets, json_object_get(reply, "lease"), error);
}

static void
detach_progress(const json_t *progress, void *data)
{
    move_report_waiting(data, MOVE_STEP_DETACH, progress);
}

static gboolean
detach(Move *move, GError **error)
{
    g_autofree char *owner = owner_name();

    move->detachment =
        hold_new(move->source, SERVICE_NETWORK, "detached functions", move->request->lease_seconds);
    json_auto_t *result =
        job_call(move->source,
                 &(JobCall) { .service = SERVICE_NETWORK,
                              .method = "Detach",
                              .parameters = json_pack("{s:s, s:s, s:s, s:i}", "owner", owner,
                                                      "token", hold_token(move->detachment),
                                                      "guest", move->survey->uuid, "timeoutSeconds",
                                                      (int)move->request->lease_seconds),
                              .progress = detach_progress,
                              .data = move,
                              .cancellable = move->cancellable },
                 error);
    return result && hold_keep(move->detachment, json_object_get(result, "lease"), error);
}

static guint64
count_of(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (guint64)value : 0;
}

void
move_report_transfer(const Move *move, MoveStep step, const json_t *progress)
{
    const json_t *left = json_object_get(progress, "secondsLeft");
    const MoveProgress transfer = {
        .step = step,
        .memory_total_bytes = count_of(progress, "memoryTotalBytes"),
        .memory_remaining_bytes = count_of(progress, "memoryRemainingBytes"),
        .disk_total_bytes = count_of(progress, "diskTotalBytes"),
        .disk_remaining_bytes = count_of(progress, "diskRemainingBytes"),
        .phase = json_string_value(json_object_get(progress, "phase")),
        .rate_bytes_per_second = count_of(progress, "rateBytesPerSecond"),
        .dirty_rate_bytes_per_second = count_of(progress, "dirtyRateBytesPerSecond"),
        .downtime_msec = count_of(progress, "downtimeMilliseconds"),
        .throttle_percent = count_of(progress, "throttlePercent"),
        .seconds_left = json_is_integer(left) ? json_integer_value(left) : -1,
    };

    move->observer->progress(&transfer, move->data);
}

static void
migrate_progress(const json_t *progress, void *data)
{
    move_report_transfer(data, MOVE_STEP_MIGRATE, progress);
}

static json_t *
migrate_parameters(const Move *move)
{
    g_autofree char *uri = g_strdup_printf("qemu+ssh://%s/system", peer_host(move->destination));
    json_t *parameters = json_pack("{s:s, s:s, s:o}", "guest", move->survey->uuid, "destinationUri",
                                   uri, "copyDisks", survey_copied_disks(move->survey));
    json_t *shared = survey_shared_disks(move->survey);

    if (move->request->options)
        json_object_update(parameters, (json_t *)move->request->options);
    if (json_array_size(shared) > 0)
        json_object_set(parameters, "sharedDisks", shared);
    json_decref(shared);
    if (move->sent)
        json_object_set(parameters, "sentDisks", move->sent);
    return parameters;
}

static gboolean
migrate(Move *move, GError **error)
{
    if (!move_hooks_before(move, error))
        return FALSE;
    json_auto_t *result = job_call(move->source,
                                   &(JobCall) { .service = SERVICE_STORAGE,
                                                .method = "Migrate",
                                                .parameters = migrate_parameters(move),
                                                .progress = migrate_progress,
                                                .data = move,
                                                .cancellable = move->cancellable },
                                   error);
    const json_t *downtime = json_object_get(result, "downtimeMilliseconds");

    if (json_is_integer(downtime))
        move->result->downtime_msec = json_integer_value(downtime);
    for (size_t i = 0; i < json_array_size(json_object_get(result, "notes")); i++)
        move->observer->note(json_string_value(json_array_get(json_object_get(result, "notes"), i)),
                             move->data);
    return result != NULL;
}

gboolean
move_has_vnics(const Move *move)
{
    return survey_has_vnics(move->survey);
}

static gboolean
lacks_bond(const Move *move)
{
    return survey_lacks_bond(move->survey);
}

static gboolean
copies_disks(const Move *move)
{
    json_auto_t *disks = survey_copied_disks(move->survey);

    return json_array_size(disks) > 0;
}

static gboolean
sends_disks(const Move *move)
{
    return move->request->offline && copies_disks(move);
}

const MoveStepPlan move_plan[] = {
    { MOVE_STEP_DESCRIBE, FALSE, NULL, describe_source },
    { MOVE_STEP_DESCRIBE, TRUE, NULL, describe_destination },
    { MOVE_STEP_SET_UP_BOND, FALSE, lacks_bond, set_up_bond },
    { MOVE_STEP_RESERVE_FUNCTIONS, TRUE, move_has_vnics, reserve_functions },
    { MOVE_STEP_CREATE_TARGETS, TRUE, copies_disks, create_targets },
    { MOVE_STEP_SEND_DISKS, FALSE, sends_disks, send_disks },
    { MOVE_STEP_DETACH, FALSE, move_has_vnics, detach },
    { MOVE_STEP_MIGRATE, FALSE, NULL, migrate },
    { 0 },
};
