/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HypervisorOps: libvirt's storage pools. */
#include <stdlib.h>

#include <libvirt/virterror.h>

#include "common/hypervisor_libvirt.h"

static void
add_pool(virStoragePoolPtr handle, GPtrArray *pools)
{
    char *xml = virStoragePoolGetXMLDesc(handle, 0);
    StoragePool *pool = xml ? storage_pool_parse(xml) : NULL;

    if (pool)
        g_ptr_array_add(pools, pool);
    free(xml);
}

GPtrArray *
libvirt_list_pools(void *self, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    g_autoptr(GPtrArray) pools = g_ptr_array_new_with_free_func((GDestroyNotify)storage_pool_free);
    virStoragePoolPtr *list = NULL;

    if (!connection)
        return NULL;
    int count =
        virConnectListAllStoragePools(connection, &list, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
    if (count < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "storage pools of this host", NULL);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        add_pool(list[i], pools);
        virStoragePoolFree(list[i]);
    }
    free(list);
    return g_steal_pointer(&pools);
}

gboolean
libvirt_create_pool(void *self, const StoragePool *pool, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    g_autofree char *xml = storage_pool_build_netfs(pool);
    virStoragePoolPtr made = connection ? virStoragePoolCreateXML(connection, xml, 0) : NULL;

    if (made)
        virStoragePoolFree(made);
    else if (connection)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, pool->name, NULL);
    return made != NULL;
}

gboolean
libvirt_destroy_pool(void *self, const char *name, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    virStoragePoolPtr handle = connection ? virStoragePoolLookupByName(connection, name) : NULL;
    gboolean gone = handle ? virStoragePoolDestroy(handle) == 0
                           : virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL;

    if (connection && !gone)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, name, NULL);
    if (handle)
        virStoragePoolFree(handle);
    return connection && gone;
}

char *
libvirt_find_volume(void *self, const char *pool, const char *volume, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    virStoragePoolPtr handle = connection ? virStoragePoolLookupByName(connection, pool) : NULL;
    virStorageVolPtr found = handle ? virStorageVolLookupByName(handle, volume) : NULL;
    char *raw = found ? virStorageVolGetPath(found) : NULL;
    char *path = g_strdup(raw);

    if (connection && !path) {
        g_autofree char *object = g_strdup_printf("volume '%s' of storage pool '%s'", volume, pool);
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, NULL);
    }
    free(raw);
    if (found)
        virStorageVolFree(found);
    if (handle)
        virStoragePoolFree(handle);
    return path;
}

gboolean
libvirt_refresh_pool(void *self, const char *name, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    virStoragePoolPtr handle = connection ? virStoragePoolLookupByName(connection, name) : NULL;
    gboolean refreshed = handle && virStoragePoolRefresh(handle, 0) == 0;

    if (connection && !refreshed)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, name, NULL);
    if (handle)
        virStoragePoolFree(handle);
    return refreshed;
}
