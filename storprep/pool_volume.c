/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/pool_volume.h"

#include "common/fault.h"

#define REMEDY_SOURCE "define the disk by its file (<disk type='file'>), or make the volume a file"

static const StoragePool *
find_pool(const GPtrArray *pools, const char *name)
{
    for (guint i = 0; i < pools->len; i++) {
        const StoragePool *pool = pools->pdata[i];

        if (g_str_equal(pool->name, name))
            return pool;
    }
    return NULL;
}

static gboolean
holds_files(const StoragePool *pool)
{
    return pool->path && (g_str_equal(pool->type, "dir") || g_str_equal(pool->type, "fs") ||
                          g_str_equal(pool->type, "netfs"));
}

const char *
pool_volume_directory(const GPtrArray *pools, const char *pool)
{
    const StoragePool *found = find_pool(pools, pool);

    return found && holds_files(found) ? found->path : NULL;
}

static gboolean
refuse(GError **error, FaultCode code, const char *name, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("storage pool '%s'", name);

    fault_set(error, code, object, remedy, "%s", cause);
    return FALSE;
}

/* That volumes of @pool (NULL: there is none of @name) are files. */
static gboolean
check_pool(const StoragePool *pool, const char *name, FaultCode code, GError **error)
{
    g_autofree char *start = g_strdup_printf("virsh pool-start '%s'", name);
    g_autofree char *cause =
        pool ? g_strdup_printf("it is of type %s: its volumes are not files in a directory",
                               pool->type)
             : g_strdup("it is not active on this host");

    return (pool && holds_files(pool)) ||
           refuse(error, code, name, pool ? REMEDY_SOURCE : start, cause);
}

char *
pool_volume_find(Hypervisor *hypervisor, const char *pool, const char *volume, GError **error)
{
    g_autoptr(GPtrArray) pools = hypervisor_list_pools(hypervisor, error);
    g_autoptr(GError) failure = NULL;
    g_autofree char *remedy = g_strdup_printf("virsh pool-refresh '%s'", pool);
    char *path;

    if (!pools || !check_pool(find_pool(pools, pool), pool, FAULT_DISK_UNSUPPORTED, error))
        return NULL;
    path = hypervisor_find_volume(hypervisor, pool, volume, &failure);
    if (!path)
        refuse(error, FAULT_DISK_UNSUPPORTED, pool, remedy, fault_cause(failure));
    return path;
}

/* Targets. */

static const char *
pool_of(const LeaseAsset *asset)
{
    return json_string_value(json_object_get(asset->detail, "pool"));
}

static gboolean
check_target(const GPtrArray *pools, const LeaseAsset *asset, GError **error)
{
    const char *name = pool_of(asset);
    const StoragePool *pool = find_pool(pools, name);
    g_autofree char *directory = g_path_get_dirname(asset->key);
    g_autofree char *remedy =
        g_strdup_printf("define a pool '%s' of type dir at '%s' on this host and start it, or "
                        "define the disk by its file",
                        name, directory);
    g_autofree char *cause = g_strdup_printf("it keeps its volumes in '%s', not in '%s'",
                                             pool && pool->path ? pool->path : "", directory);

    if (!pool)
        return refuse(error, FAULT_TARGET_REFUSED, name, remedy, "it is not active on this host");
    if (!check_pool(pool, name, FAULT_TARGET_REFUSED, error))
        return FALSE;
    return g_str_equal(pool->path, directory) ||
           refuse(error, FAULT_TARGET_REFUSED, name, remedy, cause);
}

gboolean
pool_volume_check_targets(Hypervisor *hypervisor, const Lease *lease, GError **error)
{
    g_autoptr(GPtrArray) pools = NULL;

    for (guint i = 0; i < lease->assets->len; i++) {
        const LeaseAsset *asset = lease->assets->pdata[i];

        if (!pool_of(asset))
            continue;
        if (!pools && !(pools = hypervisor_list_pools(hypervisor, error)))
            return FALSE;
        if (!check_target(pools, asset, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
pool_volume_show_targets(Hypervisor *hypervisor, const Lease *lease, GError **error)
{
    g_autoptr(GHashTable) shown = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < lease->assets->len; i++) {
        const char *pool = pool_of(lease->assets->pdata[i]);

        if (pool && g_hash_table_add(shown, (char *)pool) &&
            !hypervisor_refresh_pool(hypervisor, pool, error))
            return FALSE;
    }
    return TRUE;
}
