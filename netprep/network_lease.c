/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes netprepd's leases. */
#include "netprep/network_lease.h"

json_t *
network_lease_functions(const Lease *lease)
{
    json_t *functions = json_array();

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        json_array_append_new(functions, json_string(asset->key));
    }
    return functions;
}

json_t *
network_lease_to_json(const Lease *lease)
{
    gint64 remaining = MAX(lease->remaining_usec, 0) / G_USEC_PER_SEC;

    return json_pack("{s:s, s:I, s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:I, s:o}", "lease",
                     lease->id, "generation", (json_int_t)lease->generation, "kind", lease->kind,
                     "owner", lease->owner, "token", lease->token, "guest", "name",
                     lease->guest_name, "uuid", lease->guest_uuid, "state", lease->state, "reason",
                     lease->reason, "remainingSeconds", (json_int_t)remaining, "functions",
                     network_lease_functions(lease));
}

gboolean
network_lease_is(const Lease *lease, const char *kind, const char *state)
{
    return g_str_equal(lease->kind, kind) && g_str_equal(lease->state, state);
}

gboolean
network_lease_find(LeaseStore *leases, const char *kind, const char *owner, const char *token,
                   Lease **ret_lease, GError **error)
{
    g_autoptr(GPtrArray) all = lease_store_list(leases, error);

    if (!all)
        return FALSE;
    *ret_lease = NULL;
    for (guint i = 0; i < all->len; i++) {
        const Lease *lease = all->pdata[i];

        if (g_str_equal(lease->kind, kind) && g_str_equal(lease->owner, owner) &&
            g_str_equal(lease->token, token)) {
            *ret_lease = lease_copy(lease);
            break;
        }
    }
    return TRUE;
}

Lease *
network_lease_draft(const char *kind, const char *owner, const char *token, const char *guest_name,
                    const char *guest_uuid, const char *state, json_t *request)
{
    Lease *lease = g_new0(Lease, 1);

    lease->kind = g_strdup(kind);
    lease->owner = g_strdup(owner);
    lease->token = g_strdup(token);
    lease->guest_name = g_strdup(guest_name);
    lease->guest_uuid = g_strdup(guest_uuid);
    lease->state = g_strdup(state);
    lease->request = request;
    lease->assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    return lease;
}

gboolean
network_lease_mark(LeaseStore *leases, const Lease *lease, const LeaseAsset *asset,
                   const char *state, GError **error)
{
    g_autoptr(LeaseAsset) marked =
        lease_asset_new(asset->kind, asset->key, state, json_incref(asset->detail));

    return lease_store_put_asset(leases, lease->id, marked, FAULT_FUNCTION_BUSY, error);
}

void
network_lease_degrade(const NetworkHost *host, const Lease *lease, const GError *failure)
{
    g_autoptr(GError) unrecorded = NULL;
    gboolean known =
        g_str_equal(lease->state, STATE_DEGRADED) && g_str_equal(lease->reason, failure->message);

    if (!lease_store_set_state(host->leases, lease->id, STATE_DEGRADED, failure->message,
                               &unrecorded))
        g_warning("lease %s: cannot record that it is degraded: %s", lease->id,
                  unrecorded->message);
    if (!known)
        bulletin_post(host->bulletin, BULLETIN_DEGRADED, lease, failure->message);
}

void
network_lease_announce(const NetworkHost *host, const Lease *lease, BulletinKind kind)
{
    if (g_str_equal(lease->state, STATE_DEGRADED))
        bulletin_post(host->bulletin, BULLETIN_RECOVERED, lease, NULL);
    bulletin_post(host->bulletin, kind, lease, NULL);
}

gboolean
network_lease_end(const NetworkHost *host, const Lease *lease, BulletinKind kind, GError **error)
{
    if (!lease_store_remove(host->leases, lease->id, error))
        return FALSE;
    network_lease_announce(host, lease, kind);
    return TRUE;
}

Vnic *
network_lease_vnic(const LeaseAsset *asset, GError **error)
{
    return vnic_from_json(json_object_get(asset->detail, "vnic"), error);
}

gboolean
network_lease_had(const LeaseAsset *asset)
{
    return json_object_get(asset->detail, "xml") != NULL;
}

char **
network_lease_replaced(const LeaseAsset *asset)
{
    g_autoptr(GStrvBuilder) addresses = g_strv_builder_new();
    size_t i;
    json_t *address;

    json_array_foreach (json_object_get(asset->detail, NETWORK_LEASE_REPLACED), i, address) {
        const char *text = json_string_value(address);

        if (text)
            g_strv_builder_add(addresses, text);
    }
    return g_strv_builder_end(addresses);
}

json_t *
network_lease_replaced_with(const LeaseAsset *asset)
{
    json_t *addresses = json_array();

    json_array_extend(addresses, json_object_get(asset->detail, NETWORK_LEASE_REPLACED));
    json_array_append_new(addresses, json_string(asset->key));
    return addresses;
}
