/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the handlers about policy: what counts for a guest, who says so, and what it says itself. */
#include "storprep/guest_policy.h"
#include "storprep/storage_methods.h"

gboolean
storage_find_policy(const StorageService *service, const Guest *guest, Policy *ret_policy,
                    GError **error)
{
    Policy policy = policy_new();
    PolicySettings own;

    if (!guest_policy_read(guest->xml, &own, error))
        return FALSE;
    policy_apply(&policy, POLICY_LEVEL_GLOBAL, &service->migration);
    policy_apply(&policy, POLICY_LEVEL_CLUSTER,
                 service->cluster ? &service->cluster_migration : NULL);
    policy_apply(&policy, POLICY_LEVEL_GUEST, &own);
    *ret_policy = policy;
    return TRUE;
}

static json_t *
pack_values(const Policy *policy)
{
    json_t *records = json_array();

    for (int key = 0; key < POLICY_KEYS; key++) {
        g_autofree char *value = policy_print((PolicyKey)key, policy->values[key]);

        json_array_append_new(records, json_pack("{s:s, s:s, s:s, s:s}", "name",
                                                 policy_key_name((PolicyKey)key), "value", value,
                                                 "level", policy_level_name(policy->levels[key]),
                                                 "summary", policy_key_summary((PolicyKey)key)));
    }
    return records;
}

static void
add_place(json_t *records, const GuestPlace *place)
{
    for (int key = 0; key < GUEST_PLACE_KEYS; key++) {
        const char *value = place->values[key];

        json_array_append_new(records,
                              json_pack("{s:s, s:s, s:s, s:s}", "name",
                                        guest_place_key_name((GuestPlaceKey)key), "value",
                                        value ? value : "", "level", value ? "guest" : "default",
                                        "summary", guest_place_key_summary((GuestPlaceKey)key)));
    }
}

static json_t *
pack_policy(const StorageService *service, const Guest *guest, GError **error)
{
    g_auto(GuestPlace) place = { 0 };
    Policy policy;

    if (!storage_find_policy(service, guest, &policy, error) ||
        !guest_policy_read_place(guest->xml, &place, error))
        return NULL;
    json_t *values = pack_values(&policy);
    add_place(values, &place);
    return json_pack("{s:{s:s, s:s}, s:s?, s:o}", "guest", "name", guest->name, "uuid", guest->uuid,
                     "cluster", service->cluster, "values", values);
}

static void
reply(VarlinkCall *call, json_t *record, GError *error)
{
    if (record)
        varlink_call_reply(call, record);
    else
        varlink_call_fail(call, error);
}

void
storage_run_get_policy(VarlinkCall *call, json_t *parameters, void *context)
{
    const StorageService *service = context;
    GError *error = NULL;
    g_autoptr(Guest) guest =
        hypervisor_get_guest(service->hypervisor, storage_text(parameters, "guest"), &error);

    reply(call, guest ? pack_policy(service, guest, &error) : NULL, error);
}

/* What it says now is asked for anew: it is read back from libvirt, not repeated. */
static json_t *
set_policy(const StorageService *service, json_t *parameters, GError **error)
{
    const char *name = storage_text(parameters, "guest");
    g_autoptr(Guest) before = NULL;
    g_autoptr(Guest) after = NULL;

    before = hypervisor_get_guest(service->hypervisor, name, error);
    if (!before || !guest_policy_set(service->hypervisor, before, storage_text(parameters, "name"),
                                     storage_text(parameters, "value"), error))
        return NULL;
    after = hypervisor_get_guest(service->hypervisor, name, error);
    return after ? pack_policy(service, after, error) : NULL;
}

void
storage_run_set_policy(VarlinkCall *call, json_t *parameters, void *context)
{
    GError *error = NULL;
    json_t *record = set_policy(context, parameters, &error);

    reply(call, record, error);
}
