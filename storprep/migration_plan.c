/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the checks before libvirt is asked to migrate: everything that can be known to fail. */
#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/disk.h"
#include "storprep/migration.h"
#include "storprep/shared_disk.h"

#define BANDWIDTH_MEBIBYTES_MAX (1024 * 1024)
#define DOWNTIME_MSEC_MAX       (2000 * 1000) /* QEMU's MAX_MIGRATE_DOWNTIME */

void
migration_plan_free(MigrationPlan *plan)
{
    if (!plan)
        return;
    g_free(plan->guest_name);
    g_free(plan->guest_uuid);
    g_free(plan->destination_uri);
    g_strfreev(plan->copy_disks);
    g_strfreev(plan->shared_disks);
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

static gboolean
check_guest(const Guest *guest, GError **error)
{
    g_autofree char *object = g_strdup_printf("guest '%s'", guest->name);

    if (guest->state != GUEST_STATE_RUNNING) {
        fault_set(error, FAULT_GUEST_NOT_RUNNING, object, "start or resume it first",
                  "only a running guest is migrated live");
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
check_shared(const GPtrArray *disks, const MigrationPlan *plan, GError **error)
{
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
        if (!shared_disk_check(&conf, *target, disk->path, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_disks(const Guest *guest, const MigrationPlan *plan, GError **error)
{
    g_autoptr(DomainXml) domain = domain_xml_parse(guest->xml, error);
    g_autoptr(GPtrArray) disks = NULL;

    if (!domain)
        return FALSE;
    disks = disk_plan_all(domain);
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];

        if (disk->migration == DISK_IMPOSSIBLE &&
            !g_strv_contains((const char *const *)plan->shared_disks, disk->target))
            return set_disk_fault(error, FAULT_DISK_UNSUPPORTED, disk->target, disk->reason);
    }
    return check_shared(disks, plan, error) && check_copied(disks, plan->copy_disks, error);
}

/* An absent or null @name is 0. */
static gboolean
unpack_bounded(json_t *parameters, const char *name, json_int_t maximum, guint64 *ret_value,
               GError **error)
{
    json_t *value = json_object_get(parameters, name);

    *ret_value = 0;
    if (!json_is_integer(value))
        return TRUE;
    if (json_integer_value(value) < 1 || json_integer_value(value) > maximum) {
        fault_set(error, FAULT_INVALID_ARGUMENT, name, "leave it out for libvirt's default",
                  "it is not within 1-%" JSON_INTEGER_FORMAT, maximum);
        return FALSE;
    }
    *ret_value = (guint64)json_integer_value(value);
    return TRUE;
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

MigrationPlan *
migration_plan_new(json_t *parameters, const Guest *guest, GError **error)
{
    const char *uri = json_string_value(json_object_get(parameters, "destinationUri"));
    g_autoptr(MigrationPlan) plan = g_new0(MigrationPlan, 1);

    plan->guest_name = g_strdup(guest->name);
    plan->guest_uuid = g_strdup(guest->uuid);
    plan->destination_uri = g_strdup(uri);
    plan->persistent = guest->persistent;
    plan->auto_converge = json_is_true(json_object_get(parameters, "autoConverge"));
    plan->copy_disks = unpack_targets(parameters, "copyDisks", error);
    plan->shared_disks = plan->copy_disks ? unpack_targets(parameters, "sharedDisks", error) : NULL;
    if (!plan->shared_disks || !migration_check_uri(uri, error) ||
        !unpack_bounded(parameters, "bandwidthMebibytes", BANDWIDTH_MEBIBYTES_MAX,
                        &plan->bandwidth_mebibytes, error) ||
        !unpack_bounded(parameters, "maximumDowntimeMilliseconds", DOWNTIME_MSEC_MAX,
                        &plan->maximum_downtime_msec, error) ||
        !check_guest(guest, error) || !check_disks(guest, plan, error))
        return NULL;
    return g_steal_pointer(&plan);
}
