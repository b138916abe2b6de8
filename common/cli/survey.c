/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the questions asked before a move and the reasons to refuse one. */
#include "common/cli/survey.h"

#include "common/cli/reply.h"
#include "common/domain_xml.h"
#include "common/fault.h"
#include "common/parallel.h"

static json_t *
describe(Peer *peer, Service service, const char *guest, GCancellable *cancellable, GError **error)
{
    return peer_call(peer,
                     &(PeerCall) { .service = service,
                                   .method = "Describe",
                                   .parameters = json_pack("{s:s}", "guest", guest),
                                   .timeout_seconds = PEER_CALL_SECONDS,
                                   .cancellable = cancellable },
                     error);
}

/* Both daemons of one host, asked at once. */
typedef struct {
    Peer *peer;
    const char *guest;
    GCancellable *cancellable;
    json_t *replies[SERVICE_COUNT];
    GError *failures[SERVICE_COUNT];
} Description;

static void
description_clear(Description *description)
{
    for (int service = 0; service < SERVICE_COUNT; service++) {
        json_decref(description->replies[service]);
        g_clear_error(&description->failures[service]);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Description, description_clear)

static gboolean
describe_by(guint service, void *data, GError **error)
{
    Description *description = data;

    description->replies[service] =
        describe(description->peer, (Service)service, description->guest, description->cancellable,
                 &description->failures[service]);
    return TRUE;
}

/* Borrowed; NULL with @error if the daemon did not tell. */
static const json_t *
description_of(Description *description, Service service, GError **error)
{
    if (!description->replies[service])
        g_propagate_error(error, g_steal_pointer(&description->failures[service]));
    return description->replies[service];
}

static char *
guest_object(const json_t *described)
{
    return g_strdup_printf("guest '%s'", reply_text(json_object_get(described, "guest"), "name"));
}

static gboolean
check_shut_off(const char *state, const char *object, GError **error)
{
    if (g_strcmp0(state, "shutoff") == 0)
        return TRUE;
    fault_set(error, FAULT_GUEST_BUSY, object, "leave out --offline, or shut it down first",
              "only a guest that is shut off is moved offline, this one is %s", state);
    return FALSE;
}

static gboolean
check_state(const json_t *storage, gboolean offline, GError **error)
{
    const char *state = reply_text(storage, "state");
    g_autofree char *object = guest_object(storage);

    if (json_is_true(json_object_get(storage, "migrating"))) {
        fault_set(error, FAULT_GUEST_BUSY, object,
                  "wait for that migration to end or cancel it with 'migprep cancel'",
                  "is being migrated already");
        return FALSE;
    }
    if (offline)
        return check_shut_off(state, object, error);
    if (g_strcmp0(state, "running") == 0)
        return TRUE;
    fault_set(error, FAULT_GUEST_NOT_RUNNING, object,
              g_strcmp0(state, "paused") == 0 ? "resume it with 'virsh resume'"
                                              : "start it with 'virsh start'",
              "only a running guest can be moved live, this one is %s", state);
    return FALSE;
}

static gboolean
check_agent(const json_t *network, GError **error)
{
    g_autofree char *object = guest_object(network);

    if (json_array_size(json_object_get(network, "vnics")) == 0 ||
        json_is_true(json_object_get(network, "agent")))
        return TRUE;
    fault_set(error, FAULT_AGENT_UNAVAILABLE, object,
              "start qemu-guest-agent in the guest; check with "
              "'virsh qemu-agent-command GUEST {\"execute\":\"guest-ping\"}'",
              "its agent is needed to switch traffic off the virtual function: %s",
              reply_text(network, "agentError"));
    return FALSE;
}

static gboolean
check_bond(const Survey *survey, GError **error)
{
    if (!survey_lacks_bond(survey))
        return TRUE;
    g_autofree char *object = g_strdup_printf("guest '%s'", survey->name);
    g_autofree char *remedy =
        g_strdup_printf("run 'migprep setup-bond %s' or add --set-up-bond", survey->name);
    fault_set(error, FAULT_BOND_UNFIT, object, remedy,
              "has a passthrough NIC that is in no bond, so it would lose its network");
    return FALSE;
}

void
survey_free(Survey *survey)
{
    if (!survey)
        return;
    json_decref(survey->guest);
    json_decref(survey->vnics);
    json_decref(survey->bonds);
    json_decref(survey->disks);
    json_decref(survey->left);
    json_decref(survey->hooks);
    g_free(survey);
}

/* What moves with a guest's memory stays behind if it has none. */
static json_t *
list_left(const json_t *local_state, gboolean offline)
{
    json_t *left = json_array();

    for (size_t i = 0; i < json_array_size(local_state); i++) {
        json_t *state = json_array_get(local_state, i);

        if (offline || !json_is_true(json_object_get(state, "migrates")))
            json_array_append(left, state);
    }
    return left;
}

/* Only name and uuid: a Guest object of a later daemon might hold more than the other side takes.
 */
static Survey *
survey_build(const json_t *network, const json_t *storage)
{
    Survey *survey = g_new0(Survey, 1);
    const json_t *guest = json_object_get(storage, "guest");

    survey->guest = json_pack("{s:s, s:s}", "name", reply_text(guest, "name"), "uuid",
                              reply_text(guest, "uuid"));
    survey->name = reply_text(survey->guest, "name");
    survey->uuid = reply_text(survey->guest, "uuid");
    survey->vnics = json_incref(json_object_get(network, "vnics"));
    survey->bonds = json_incref(json_object_get(network, "bonds"));
    survey->hooks = json_incref(json_object_get(network, "hooks"));
    survey->disks = json_incref(json_object_get(storage, "disks"));
    return survey;
}

Survey *
survey_source(Peer *source, const SurveyQuestion *question, GCancellable *cancellable,
              GError **error)
{
    g_auto(Description) description = { source, question->guest, cancellable, { 0 }, { 0 } };

    (void)parallel_run(SERVICE_COUNT, describe_by, &description, NULL);
    const json_t *storage = description_of(&description, SERVICE_STORAGE, error);
    if (!storage || !check_state(storage, question->offline, error))
        return NULL;
    const json_t *network = description_of(&description, SERVICE_NETWORK, error);
    if (!network || (!question->offline && !check_agent(network, error)))
        return NULL;

    g_autoptr(Survey) survey = survey_build(network, storage);
    survey->left = list_left(json_object_get(storage, "localState"), question->offline);
    gboolean bond_matters = !question->offline && !question->bond_may_be_missing;
    if (!survey_check_disks(survey, FALSE, error) || (bond_matters && !check_bond(survey, error)))
        return NULL;
    return g_steal_pointer(&survey);
}

static gboolean
check_not_active(const json_t *described, Peer *destination, GError **error)
{
    const char *state = reply_text(described, "state");

    if (g_strcmp0(state, "shutoff") == 0)
        return TRUE;
    g_autofree char *object = guest_object(described);
    fault_set(error, FAULT_GUEST_BUSY, object, "find out which of the two is the right one",
              "is also on %s, where it is %s", peer_host(destination), state);
    return FALSE;
}

gboolean
survey_destination(Peer *destination, const Survey *survey, GCancellable *cancellable,
                   GError **error)
{
    g_autoptr(GError) unknown = NULL;
    json_auto_t *storage =
        describe(destination, SERVICE_STORAGE, survey->uuid, cancellable, &unknown);

    if (!storage && fault_code(unknown) != FAULT_GUEST_NOT_FOUND) {
        g_propagate_error(error, g_steal_pointer(&unknown));
        return FALSE;
    }
    if (storage && !check_not_active(storage, destination, error))
        return FALSE;
    if (!survey_has_vnics(survey))
        return TRUE;
    json_auto_t *functions = peer_call(destination,
                                       &(PeerCall) { .service = SERVICE_NETWORK,
                                                     .method = "ListFunctions",
                                                     .timeout_seconds = PEER_CALL_SECONDS,
                                                     .cancellable = cancellable },
                                       error);
    return functions != NULL;
}

gboolean
survey_has_vnics(const Survey *survey)
{
    return json_array_size(survey->vnics) > 0;
}

gboolean
survey_lacks_bond(const Survey *survey)
{
    size_t i;
    json_t *vnic;

    json_array_foreach (survey->vnics, i, vnic) {
        if (!g_str_equal(reply_text(vnic, "path"), "native") &&
            !json_is_string(json_object_get(vnic, "bond")))
            return TRUE;
    }
    return FALSE;
}

gboolean
survey_check_disks(const Survey *survey, gboolean proven, GError **error)
{
    size_t i;
    json_t *disk;

    json_array_foreach (survey->disks, i, disk) {
        if (g_strcmp0(reply_text(disk, "migration"), "impossible") != 0 ||
            (!proven && json_is_true(json_object_get(disk, "provable"))))
            continue;
        g_autofree char *object =
            g_strdup_printf("guest '%s' disk %s", survey->name, reply_text(disk, "target"));
        fault_set(
            error, FAULT_DISK_UNSUPPORTED, object,
            "detach the disk, put it on storage that both hosts share, or give it a form that "
            "can be copied (qcow2 or raw file)",
            "cannot be moved: %s", reply_text(disk, "reason"));
        return FALSE;
    }
    return TRUE;
}

static gboolean
is_copied(const json_t *disk)
{
    return g_strcmp0(reply_text(disk, "migration"), "copy") == 0;
}

static json_t *
targets_of(const Survey *survey, const char *migration)
{
    json_t *targets = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (survey->disks, i, disk) {
        if (g_strcmp0(reply_text(disk, "migration"), migration) == 0)
            json_array_append_new(targets, json_string(reply_text(disk, "target")));
    }
    return targets;
}

json_t *
survey_copied_disks(const Survey *survey)
{
    return targets_of(survey, "copy");
}

json_t *
survey_shared_disks(const Survey *survey)
{
    return targets_of(survey, "shared");
}

static json_t *
target_of(const json_t *disk)
{
    static const char *const members[] = {
        "path",   "pool",       "format",        "virtualSizeBytes", "clusterSizeBytes",
        "compat", "extendedL2", "lazyRefcounts", "refcountBits"
    };
    json_t *target = json_object();

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *value = json_object_get(disk, members[i]);
        if (value && !json_is_null(value))
            json_object_set(target, members[i], value);
    }
    return target;
}

json_t *
survey_targets(const Survey *survey)
{
    json_t *targets = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (survey->disks, i, disk) {
        if (is_copied(disk))
            json_array_append_new(targets, target_of(disk));
    }
    return targets;
}

const char *
survey_active_port(const Survey *survey, const json_t *bonds)
{
    const json_t *wanted = json_object_get(json_array_get(survey->vnics, 0), "bond");
    size_t i;
    json_t *bond;

    json_array_foreach (bonds, i, bond) {
        if (g_strcmp0(reply_text(bond, "name"), json_string_value(wanted)) == 0)
            return json_string_value(json_object_get(bond, "active"));
    }
    return NULL;
}

static json_t *
find_target(const json_t *records, const char *target)
{
    for (size_t i = 0; i < json_array_size(records); i++) {
        json_t *record = json_array_get(records, i);

        if (g_strcmp0(reply_text(record, "target"), target) == 0)
            return record;
    }
    return NULL;
}

static json_t *
find_disk(const Survey *survey, const char *target)
{
    return find_target(survey->disks, target);
}

static gboolean
refuse_disk(const Survey *survey, const char *target, FaultCode code, const char *cause,
            GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s' disk %s", survey->name, target);

    fault_set(error, code, object, "see 'virsh domblklist', or leave out the option", "%s", cause);
    return FALSE;
}

static gboolean
check_chosen(const Survey *survey, const char *const *chosen, GError **error)
{
    for (gsize i = 0; chosen[i]; i++) {
        const json_t *disk = find_disk(survey, chosen[i]);

        if (!disk)
            return refuse_disk(survey, chosen[i], FAULT_INVALID_ARGUMENT,
                               "the guest has no such disk", error);
        if (!is_copied(disk))
            return refuse_disk(survey, chosen[i], FAULT_DISK_UNSUPPORTED,
                               "it is shared with the destination, or has nothing to copy", error);
    }
    return TRUE;
}

gboolean
survey_choose_disks(Survey *survey, const char *const *chosen, gboolean unsafe, GError **error)
{
    size_t i;
    json_t *disk;

    if (!chosen)
        return TRUE;
    if (!check_chosen(survey, chosen, error))
        return FALSE;
    json_array_foreach (survey->disks, i, disk) {
        const char *target = reply_text(disk, "target");

        if (!is_copied(disk) || g_strv_contains(chosen, target))
            continue;
        if (!unsafe)
            return refuse_disk(survey, target, FAULT_DISK_UNSUPPORTED,
                               "it is neither shared with the destination nor among "
                               "--migrate-disks; --unsafe leaves it behind",
                               error);
        json_object_set_new(disk, "migration", json_string("none"));
    }
    return TRUE;
}

/* Where the file of a volume is, the pool there says. */
static void
follow_disk(json_t *disk, const DomainDisk *there)
{
    if (there->pool) {
        json_object_set_new(disk, "pool", json_string(there->pool));
        return;
    }
    json_object_set_new(disk, "path", json_string(there->source));
    json_object_del(disk, "pool");
}

gboolean
survey_follow_xml(Survey *survey, const char *xml, GError **error)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(xml, error);

    for (guint i = 0; domain && i < domain->disks->len; i++) {
        const DomainDisk *there = domain->disks->pdata[i];
        json_t *disk = find_disk(survey, there->target);

        if (disk && is_copied(disk) && there->source)
            follow_disk(disk, there);
    }
    return domain != NULL;
}

void
survey_rename_disks(json_t *disks, const json_t *paths)
{
    size_t i;
    json_t *disk;

    json_array_foreach (disks, i, disk) {
        const json_t *there = find_target(paths, reply_text(disk, "target"));

        if (there)
            json_object_set(disk, "path", json_object_get(there, "path"));
    }
}

gboolean
survey_place_disks(Survey *survey, const json_t *paths, GError **error)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *target = reply_text(json_array_get(paths, i), "target");
        json_t *disk = find_disk(survey, target);

        if (!disk)
            return refuse_disk(survey, target, FAULT_INVALID_ARGUMENT, "the guest has no such disk",
                               error);
        if (!is_copied(disk))
            return refuse_disk(survey, target, FAULT_DISK_UNSUPPORTED,
                               "it cannot be copied to another path", error);
        json_object_set_new(disk, "provable", json_false());
    }
    survey_rename_disks(survey->disks, paths);
    return TRUE;
}
