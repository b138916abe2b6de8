/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the handler that tells what a guest's storage means for a move. */
#include "common/fault.h"
#include "common/limits.h"
#include "storprep/disk_set.h"
#include "storprep/local_state.h"
#include "storprep/storage_methods.h"

static json_t *
pack_disks(const GPtrArray *disks)
{
    json_t *records = json_array();

    for (guint i = 0; i < disks->len; i++)
        json_array_append_new(records, disk_to_json(disks->pdata[i]));
    return records;
}

/* Borrows the strings; NULL if the member is not there. */
static const char **
list_targets(json_t *parameters, const char *name)
{
    json_t *list = json_object_get(parameters, name);
    size_t count = json_array_size(list);
    const char **targets = json_is_array(list) ? g_new0(const char *, count + 1) : NULL;

    for (size_t i = 0; targets && i < count; i++)
        targets[i] = json_string_value(json_array_get(list, i));
    return targets;
}

static gboolean
check_targets(json_t *parameters, const char *name, GError **error)
{
    if (json_array_size(json_object_get(parameters, name)) <= LIMIT_DISKS)
        return TRUE;
    fault_set(error, FAULT_LIMIT_EXCEEDED, name, "name each disk once", "more than %d disks",
              LIMIT_DISKS);
    return FALSE;
}

static void
add_verdict(json_t *reply, const GPtrArray *disks, json_t *parameters)
{
    g_autofree const char **shared = list_targets(parameters, "sharedDisks");
    g_autofree const char **copy = list_targets(parameters, "copyDisks");
    g_auto(DiskSetVerdict) verdict = { 0 };

    disk_set_judge(disks, shared, copy, &verdict);
    json_object_set_new(reply, "possible", json_string(disk_set_migration_name(verdict.migration)));
    if (verdict.reason)
        json_object_set_new(reply, "obstacle", json_string(verdict.reason));
}

static json_t *
describe(const StorageService *service, const Guest *guest, json_t *parameters, GError **error)
{
    g_autoptr(GPtrArray) disks = NULL;
    json_t *local, *reply;

    if (!check_targets(parameters, "sharedDisks", error) ||
        !check_targets(parameters, "copyDisks", error) ||
        !(disks = disk_plan_guest(guest, service->hypervisor, error)) ||
        !(local = local_state_list(guest->xml, error)))
        return NULL;
    reply = json_pack("{s:{s:s, s:s}, s:s, s:b, s:b, s:o, s:o}", "guest", "name", guest->name,
                      "uuid", guest->uuid, "state", guest_state_name(guest->state), "persistent",
                      guest->persistent, "migrating", guest->has_job, "disks", pack_disks(disks),
                      "localState", local);
    add_verdict(reply, disks, parameters);
    return reply;
}

void
storage_run_describe(VarlinkCall *call, json_t *parameters, void *context)
{
    StorageService *service = context;
    GError *error = NULL;
    g_autoptr(Guest) guest =
        hypervisor_get_guest(service->hypervisor, storage_text(parameters, "guest"), &error);
    json_t *reply = guest ? describe(service, guest, parameters, &error) : NULL;

    if (reply)
        varlink_call_reply(call, reply);
    else
        varlink_call_fail(call, error);
}

void
storage_run_list_guests(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    GError *error = NULL;
    g_autoptr(GPtrArray) guests = hypervisor_list_guests(service->hypervisor, &error);
    json_t *records;

    if (!guests) {
        varlink_call_fail(call, error);
        return;
    }
    records = json_array();
    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];

        json_array_append_new(records,
                              json_pack("{s:{s:s, s:s}, s:s}", "guest", "name", guest->name, "uuid",
                                        guest->uuid, "state", guest_state_name(guest->state)));
    }
    varlink_call_reply(call, json_pack("{s:o}", "guests", records));
}
