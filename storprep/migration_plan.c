/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the checks before libvirt is asked to migrate: everything that can be known to fail. */
#include "storprep/migration_plan.h"

#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/destination_xml.h"
#include "storprep/disk.h"
#include "storprep/sent_disk.h"
#include "storprep/shared_disk.h"

#define MEGABITS_PER_CONNECTION 10000
#define CONNECTIONS_MAX         16 /* chosen by ourselves: beyond, the cores are the limit */

void
migration_plan_free(MigrationPlan *plan)
{
    if (!plan)
        return;
    g_free(plan->guest_name);
    g_free(plan->guest_uuid);
    g_free(plan->destination_uri);
    g_strfreev(plan->copy_disks);
    g_strfreev(plan->copy_paths);
    g_strfreev(plan->shared_disks);
    g_free(plan->destination_xml);
    g_free(plan->persistent_xml);
    json_decref(plan->sent_disks);
    g_free(plan);
}

static const char *
find_uri_mistake(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    const char *scheme;

    if (!uri)
        return "it is not a URI";
    scheme = g_uri_get_scheme(uri);
    if (!g_str_equal(scheme, "qemu+ssh") && !g_str_equal(scheme, "qemu+tls") &&
        !g_str_equal(scheme, "qemu+tcp"))
        return "its scheme is none of qemu+ssh, qemu+tls, qemu+tcp";
    if (!host || (!g_ascii_isalnum(*host) && !strchr(host, ':')))
        return "it names no host";
    if (!g_str_equal(g_uri_get_path(uri), "/system"))
        return "its path is not /system";
    if (g_uri_get_query(uri) || g_uri_get_fragment(uri))
        return "it has options, which are not accepted here";
    return NULL;
}

gboolean
migration_check_uri(const char *uri, GError **error)
{
    const char *mistake = strlen(uri) > LIMIT_TEXT_BYTES ? "it is too long" : find_uri_mistake(uri);

    if (!mistake)
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "destinationUri",
              "give a URI like qemu+ssh://HOST/system; options belong in root's ssh configuration",
              "%s", mistake);
    return FALSE;
}

/* NULL if @guest can be moved in @mode; else why not. */
static const char *
find_state_obstacle(const Guest *guest, MigrationMode mode)
{
    if (mode == MIGRATION_OFFLINE) {
        if (guest->state == GUEST_STATE_SHUT_OFF)
            return NULL;
        return "only a guest that is shut off is moved offline";
    }
    return guest->state == GUEST_STATE_RUNNING ? NULL : "only a running guest is moved so";
}

static gboolean
check_guest(const Guest *guest, MigrationMode mode, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", guest->name);
    gboolean offline = mode == MIGRATION_OFFLINE;
    const char *obstacle = find_state_obstacle(guest, mode);

    if (obstacle) {
        fault_set(error, offline ? FAULT_GUEST_BUSY : FAULT_GUEST_NOT_RUNNING, object,
                  offline ? "shut it down, or move it live" : "start or resume it first", "%s",
                  obstacle);
        return FALSE;
    }
    if (guest->has_job) {
        fault_set(error, FAULT_GUEST_BUSY, object,
                  "wait for the job, or end it with 'virsh domjobabort'",
                  "libvirt already runs a job on it");
        return FALSE;
    }
    return TRUE;
}

static const Disk *
find_disk(const GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];

        if (g_str_equal(disk->target, target))
            return disk;
    }
    return NULL;
}

static gboolean
set_disk_fault(GError **error, FaultCode code, const char *target, const char *cause)
{
    g_autofree char *object = g_strdup_printf("disk '%s'", target);

    fault_set(error, code, object, "see what Describe says about the guest's disks", "%s", cause);
    return FALSE;
}

static gboolean
check_copied(const GPtrArray *disks, char **targets, GError **error)
{
    for (char **target = targets; *target; target++) {
        const Disk *disk = find_disk(disks, *target);

        if (!disk)
            return set_disk_fault(error, FAULT_INVALID_ARGUMENT, *target, "the guest has none");
        if (disk->migration != DISK_COPY)
            return set_disk_fault(error, FAULT_DISK_UNSUPPORTED, *target, disk->reason);
        for (char **other = targets; other != target; other++) {
            if (g_str_equal(*other, *target))
                return set_disk_fault(error, FAULT_INVALID_ARGUMENT, *target,
                                      "it is named twice in copyDisks");
        }
    }
    return TRUE;
}

static gboolean
check_shared(const GPtrArray *disks, MigrationPlan *plan, GError **error)
{
    SharedDiskSight sight = SHARED_DISK_SEEN;
    g_auto(QemuConf) conf = { 0 };

    qemu_conf_read(QEMU_CONF_PATH, &conf);
    for (char **target = plan->shared_disks; *target; target++) {
        const Disk *disk = find_disk(disks, *target);

        if (!disk)
            return set_disk_fault(error, FAULT_INVALID_ARGUMENT, *target, "the guest has none");
        if (!disk->provable)
            return set_disk_fault(error, FAULT_INVALID_ARGUMENT, *target,
                                  "it is no plain file, which alone can be proven to be shared");
        if (g_strv_contains((const char *const *)plan->copy_disks, *target))
            return set_disk_fault(error, FAULT_INVALID_ARGUMENT, *target,
                                  "it is named in copyDisks and sharedDisks");
        if (!shared_disk_check(&conf, disk, &sight, error))
            return FALSE;
        plan->proven_safe |= sight == SHARED_DISK_UNSEEN;
    }
    return TRUE;
}

static gboolean
is_provided(const MigrationPlan *plan, const char *target)
{
    return g_strv_contains((const char *const *)plan->copy_disks, target) ||
           g_strv_contains((const char *const *)plan->shared_disks, target);
}

/* With a guest that is shut off, libvirt looks at no disk. */
static gboolean
check_provided(const GPtrArray *disks, const MigrationPlan *plan, GError **error)
{
    for (guint i = 0; i < disks->len && plan->mode == MIGRATION_OFFLINE && !plan->unsafe; i++) {
        const Disk *disk = disks->pdata[i];

        if (disk->migration == DISK_COPY && !is_provided(plan, disk->target))
            return set_disk_fault(error, FAULT_DISK_UNSUPPORTED, disk->target,
                                  "it is neither shared with the destination nor copied to it");
    }
    return TRUE;
}

/* libvirt looks at a disk that is not copied unless nobody writes to it. */
static const char *
find_danger(const Disk *disk, const MigrationPlan *plan)
{
    if (disk->storage == DISK_ON_NOTHING || disk->read_only ||
        g_strv_contains((const char *const *)plan->copy_disks, disk->target))
        return NULL;
    if (disk->storage != DISK_ON_NETWORK && !is_provided(plan, disk->target))
        return "it is neither shared with the destination nor copied to it";
    if (!shared_disk_is_uncached(disk))
        return "libvirt cannot see that the guest's disks are shared, and with its cache mode data "
               "may stay behind in this host's memory: set cache='none', or say unsafe";
    return NULL;
}

/* What was proven to be shared and looks local to libvirt is refused by it as a whole, unless it is
 * told to look at no disk; so then all of them must be harmless. */
static gboolean
check_proven(const GPtrArray *disks, MigrationPlan *plan, GError **error)
{
    if (!plan->proven_safe || plan->unsafe || plan->mode == MIGRATION_OFFLINE) {
        plan->proven_safe = FALSE;
        return TRUE;
    }
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];
        const char *danger = find_danger(disk, plan);

        if (danger)
            return set_disk_fault(error, FAULT_DISK_UNSUPPORTED, disk->target, danger);
    }
    plan->unsafe = TRUE;
    return TRUE;
}

static void
note_paths(const GPtrArray *disks, MigrationPlan *plan)
{
    GPtrArray *paths = g_ptr_array_new();

    for (char **target = plan->copy_disks; *target; target++) {
        const Disk *disk = find_disk(disks, *target);

        if (disk && disk->path)
            g_ptr_array_add(paths, g_strdup(disk->path));
    }
    g_ptr_array_add(paths, NULL);
    plan->copy_paths = (char **)g_ptr_array_free(paths, FALSE);
}

static gboolean
check_disks(const Guest *guest, Hypervisor *hypervisor, MigrationPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) disks = disk_plan_guest(guest, hypervisor, error);

    if (!disks)
        return FALSE;
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];

        if (disk->migration == DISK_IMPOSSIBLE &&
            !g_strv_contains((const char *const *)plan->shared_disks, disk->target))
            return set_disk_fault(error, FAULT_DISK_UNSUPPORTED, disk->target, disk->reason);
    }
    note_paths(disks, plan);
    return check_shared(disks, plan, error) && check_copied(disks, plan->copy_disks, error) &&
           check_provided(disks, plan, error) && check_proven(disks, plan, error);
}

static char **
unpack_targets(json_t *parameters, const char *name, GError **error)
{
    json_t *list = json_object_get(parameters, name);
    g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(g_free);
    json_t *target;
    size_t i;

    if (json_array_size(list) > LIMIT_DISKS) {
        fault_set(error, FAULT_LIMIT_EXCEEDED, name, "move the guest with fewer disks",
                  "more than %d disks", LIMIT_DISKS);
        return NULL;
    }
    json_array_foreach (list, i, target)
        g_ptr_array_add(targets, g_strdup(json_string_value(target)));
    g_ptr_array_add(targets, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&targets), FALSE);
}

gboolean
migration_plan_wants_post_copy(const MigrationPlan *plan)
{
    return plan->mode == MIGRATION_LIVE && plan->policy.values[POLICY_TIMEOUT] &&
           plan->policy.values[POLICY_ON_TIMEOUT] == TIMEOUT_POSTCOPY;
}

void
migration_plan_choose_connections(MigrationPlan *plan, unsigned link_megabits)
{
    unsigned asked = (unsigned)plan->policy.values[POLICY_PARALLEL];
    unsigned by_link = CLAMP(link_megabits / MEGABITS_PER_CONNECTION, 1, CONNECTIONS_MAX);
    unsigned wanted = asked ? asked : by_link;
    guint64 compression = plan->policy.values[POLICY_COMPRESSION];
    gboolean one_only = plan->mode == MIGRATION_OFFLINE || plan->tunnelled ||
                        compression == COMPRESSION_XBZRLE || migration_plan_wants_post_copy(plan);

    /* zstd works on parallel connections, be there only one of them. */
    if (one_only || (wanted == 1 && compression != COMPRESSION_ZSTD))
        wanted = 0;
    plan->parallel_connections = wanted;
}

static MigrationMode
unpack_mode(const json_t *parameters)
{
    const char *name = json_string_value(json_object_get(parameters, "mode"));

    if (g_strcmp0(name, "suspended") == 0)
        return MIGRATION_SUSPENDED;
    return g_strcmp0(name, "offline") == 0 ? MIGRATION_OFFLINE : MIGRATION_LIVE;
}

static gboolean
unpack_boolean(const json_t *parameters, const char *name, gboolean otherwise)
{
    const json_t *value = json_object_get(parameters, name);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* *ret_xml is NULL if it was not given. */
static gboolean
unpack_xml(const json_t *parameters, const char *name, const Guest *guest, char **ret_xml,
           GError **error)
{
    const char *xml = json_string_value(json_object_get(parameters, name));

    if (xml && !destination_xml_check(name, xml, guest, error))
        return FALSE;
    *ret_xml = g_strdup(xml);
    return TRUE;
}

static MigrationPlan *
unpack_plan(json_t *parameters, const Guest *guest)
{
    MigrationPlan *plan = g_new0(MigrationPlan, 1);

    plan->guest_name = g_strdup(guest->name);
    plan->guest_uuid = g_strdup(guest->uuid);
    plan->destination_uri =
        g_strdup(json_string_value(json_object_get(parameters, "destinationUri")));
    plan->mode = unpack_mode(parameters);
    plan->incremental = unpack_boolean(parameters, "incremental", FALSE);
    plan->persist = unpack_boolean(parameters, "persistent", guest->persistent);
    plan->undefine_source = unpack_boolean(parameters, "undefineSource", guest->persistent);
    plan->tunnelled = unpack_boolean(parameters, "tunnelled", FALSE);
    plan->unsafe = unpack_boolean(parameters, "unsafe", FALSE);
    if (json_array_size(json_object_get(parameters, "sentDisks")))
        plan->sent_disks = json_deep_copy(json_object_get(parameters, "sentDisks"));
    plan->remove_source_disks = unpack_boolean(parameters, "removeSourceDisks", FALSE);
    return plan;
}

static gboolean
unpack_policy(json_t *parameters, const Policy *standing, Policy *ret_policy, GError **error)
{
    Policy policy = *standing;
    PolicySettings asked;

    if (!policy_from_request(parameters, &asked, error))
        return FALSE;
    policy_apply(&policy, POLICY_LEVEL_REQUEST, &asked);
    *ret_policy = policy;
    return TRUE;
}

MigrationPlan *
migration_plan_new(json_t *parameters, const Guest *guest, const Policy *standing,
                   Hypervisor *hypervisor, GError **error)
{
    g_autoptr(MigrationPlan) plan = unpack_plan(parameters, guest);

    plan->copy_disks = unpack_targets(parameters, "copyDisks", error);
    plan->shared_disks = plan->copy_disks ? unpack_targets(parameters, "sharedDisks", error) : NULL;
    if (!plan->shared_disks || !migration_check_uri(plan->destination_uri, error) ||
        !unpack_policy(parameters, standing, &plan->policy, error) ||
        !unpack_xml(parameters, "destinationXml", guest, &plan->destination_xml, error) ||
        !unpack_xml(parameters, "persistentXml", guest, &plan->persistent_xml, error) ||
        !sent_disks_check(plan->sent_disks, error) || !migration_conflict_check(plan, error) ||
        !check_guest(guest, plan->mode, error) || !check_disks(guest, hypervisor, plan, error))
        return NULL;
    return g_steal_pointer(&plan);
}

gboolean
migration_plan_confirm_sent(const MigrationPlan *plan, Hypervisor *hypervisor, GError **error)
{
    g_autoptr(Guest) guest = NULL;

    if (!plan->sent_disks)
        return TRUE;
    guest = hypervisor_get_guest(hypervisor, plan->guest_uuid, error);
    return guest && check_guest(guest, plan->mode, error) &&
           sent_disks_check(plan->sent_disks, error);
}
