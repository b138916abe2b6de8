/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the pool's beginning and end. */
#include "storprep/nfs_pool.h"

#include <string.h>

#include "common/fault.h"
#include "storprep/nfs_mount.h"

#define POOL_KIND "pool"

LeaseAsset *
nfs_pool_new(const char *name, const char *source_host, const char *source_directory,
             const char *target)
{
    g_autofree char *source = g_strdup_printf(strchr(source_host, ':') ? "[%s]:%s" : "%s:%s",
                                              source_host, source_directory);

    return share_asset_new(POOL_KIND, target,
                           json_pack("{s:s, s:s, s:s, s:s}", "pool", name, "host", source_host,
                                     "directory", source_directory, "source", source));
}

static gboolean
refuse(const LeaseAsset *asset, FaultCode code, const char *remedy, const char *cause,
       GError **error)
{
    g_autofree char *object = g_strdup_printf("storage pool '%s'", share_text(asset, "pool"));

    fault_set(error, code, object, remedy, "%s", cause);
    return FALSE;
}

static gboolean
is_as_asked(const LeaseAsset *asset, const StoragePool *pool)
{
    return g_str_equal(pool->type, "netfs") && g_strcmp0(pool->path, share_subject(asset)) == 0 &&
           g_strcmp0(pool->source_host, share_text(asset, "host")) == 0 &&
           g_strcmp0(pool->source_directory, share_text(asset, "directory")) == 0;
}

/* Sets *ret_pool to the active pool of that name, or NULL. */
static gboolean
find_name(const ShareHost *host, const LeaseAsset *asset, StoragePool **ret_pool, GError **error)
{
    g_autoptr(GPtrArray) pools = hypervisor_list_pools(host->hypervisor, error);

    if (!pools)
        return FALSE;
    *ret_pool = NULL;
    for (guint i = 0; i < pools->len && !*ret_pool; i++) {
        const StoragePool *pool = pools->pdata[i];

        if (g_str_equal(pool->name, share_text(asset, "pool")))
            *ret_pool = g_ptr_array_steal_index(pools, i);
    }
    return TRUE;
}

/* Sets *ret_found to whether the pool that was asked for is there. */
static gboolean
find(const ShareHost *host, const LeaseAsset *asset, gboolean *ret_found, GError **error)
{
    g_autoptr(StoragePool) pool = NULL;

    if (!find_name(host, asset, &pool, error))
        return FALSE;
    if (pool && !is_as_asked(asset, pool))
        return refuse(asset, FAULT_SHARE_UNFIT, "choose another name for the pool",
                      "libvirt has another pool of that name", error);
    *ret_found = pool != NULL;
    return TRUE;
}

static gboolean
create(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    const StoragePool pool = {
        .name = (char *)share_text(asset, "pool"),
        .source_host = (char *)share_text(asset, "host"),
        .source_directory = (char *)share_text(asset, "directory"),
        .path = (char *)share_subject(asset),
    };

    return hypervisor_create_pool(host->hypervisor, &pool, error);
}

static gboolean
make(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    g_autoptr(LeaseAsset) other = NULL;
    gboolean found;

    if (!find(host, asset, &found, error) || !share_find_other(host, lease, asset, &other, error))
        return FALSE;
    if (!found && (!share_record(host, lease, asset, SHARE_MAKING, NULL, error) ||
                   !create(host, asset, error)))
        return FALSE;
    share_note(asset, found && !other ? SHARE_FOREIGN : SHARE_MADE, NULL);
    return TRUE;
}

/* The pool's lease has the mount, too; any other one would lose it. */
static gboolean
is_mount_needed_elsewhere(const ShareHost *host, const LeaseAsset *asset, gboolean *ret_needed,
                          GError **error)
{
    g_autoptr(GPtrArray) all = lease_store_list(host->store, error);
    guint holders = 0;

    for (guint i = 0; all && i < all->len; i++) {
        const Lease *lease = all->pdata[i];

        for (guint j = 0; j < lease->assets->len; j++) {
            const LeaseAsset *mount = lease->assets->pdata[j];

            holders += g_str_equal(mount->kind, mount_kind.kind) &&
                       g_str_equal(share_subject(mount), share_subject(asset));
        }
    }
    *ret_needed = holders > 1;
    return all != NULL;
}

static gboolean
check_unused(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    gboolean needed;

    if (!is_mount_needed_elsewhere(host, asset, &needed, error))
        return FALSE;
    if (needed)
        return refuse(asset, FAULT_SHARE_BUSY, "release the other leases of the mount first",
                      "libvirt would unmount what other leases need", error);
    return mount_kind.check_unused(host, asset, error);
}

static gboolean
undo(const ShareHost *host, const LeaseAsset *asset, GError **error)
{
    g_autoptr(StoragePool) pool = NULL;

    if (!find_name(host, asset, &pool, error))
        return FALSE;
    if (pool && !is_as_asked(asset, pool)) {
        g_warning("storage pool '%s' is not the one that was made here: it is left alone",
                  share_text(asset, "pool"));
        return TRUE;
    }
    return !pool || hypervisor_destroy_pool(host->hypervisor, share_text(asset, "pool"), error);
}

/* Gone after a reboot: it is transient. */
static gboolean
restore(const ShareHost *host, const Lease *lease, LeaseAsset *asset, GError **error)
{
    gboolean found;

    return find(host, asset, &found, error) && (found || create(host, asset, error));
}

const ShareKind pool_kind = {
    .kind = POOL_KIND,
    .make = make,
    .check_unused = check_unused,
    .undo = undo,
    .restore = restore,
};
