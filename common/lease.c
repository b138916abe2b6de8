/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/lease.h"

#include <string.h>

LeaseAsset *
lease_asset_new(const char *kind, const char *key, const char *state, json_t *detail)
{
    LeaseAsset *asset = g_new0(LeaseAsset, 1);

    asset->kind = g_strdup(kind);
    asset->key = g_strdup(key);
    asset->state = g_strdup(state);
    asset->detail = detail ? detail : json_object();
    return asset;
}

void
lease_asset_free(LeaseAsset *asset)
{
    if (!asset)
        return;
    g_free(asset->kind);
    g_free(asset->key);
    g_free(asset->state);
    json_decref(asset->detail);
    g_free(asset);
}

void
lease_free(Lease *lease)
{
    if (!lease)
        return;
    g_free(lease->id);
    g_free(lease->kind);
    g_free(lease->owner);
    g_free(lease->token);
    g_free(lease->guest_name);
    g_free(lease->guest_uuid);
    g_free(lease->state);
    g_free(lease->reason);
    json_decref(lease->request);
    if (lease->assets)
        g_ptr_array_unref(lease->assets);
    g_free(lease);
}

Lease *
lease_copy(const Lease *lease)
{
    Lease *copy = g_memdup2(lease, sizeof *lease);

    copy->id = g_strdup(lease->id);
    copy->kind = g_strdup(lease->kind);
    copy->owner = g_strdup(lease->owner);
    copy->token = g_strdup(lease->token);
    copy->guest_name = g_strdup(lease->guest_name);
    copy->guest_uuid = g_strdup(lease->guest_uuid);
    copy->state = g_strdup(lease->state);
    copy->reason = g_strdup(lease->reason);
    copy->request = json_deep_copy(lease->request);
    copy->assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    for (guint i = 0; lease->assets && i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];
        g_ptr_array_add(copy->assets, lease_asset_new(asset->kind, asset->key, asset->state,
                                                      json_deep_copy(asset->detail)));
    }
    return copy;
}

LeaseAsset *
lease_find_asset(const Lease *lease, const char *kind, const char *key)
{
    for (guint i = 0; lease->assets && i < lease->assets->len; i++) {
        LeaseAsset *asset = lease->assets->pdata[i];
        if (strcmp(asset->kind, kind) == 0 && strcmp(asset->key, key) == 0)
            return asset;
    }
    return NULL;
}
