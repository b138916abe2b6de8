/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HypervisorOps: libvirt's storage pools. */
#include <stdlib.h>

#include <libvirt/virterror.h>

#include "common/hypervisor_libvirt.h"

/* One that was stopped meanwhile is not active any more; of any other that cannot be read the
 * caller must know, to whom its volumes would be in no pool. */
static gboolean
add_pool(virStoragePoolPtr handle, GPtrArray *pools, GError **error)
{
    g_autofree char *object = g_strdup_printf("storage pool '%s'", virStoragePoolGetName(handle));
    char *xml = virStoragePoolGetXMLDesc(handle, 0);
    gboolean gone = !xml && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL;
    StoragePool *pool = xml ? storage_pool_parse(xml) : NULL;

    if (pool)
        g_ptr_array_add(pools, pool);
    else if (xml)
        fault_set(error, FAULT_HYPERVISOR_FAILED, object, "look at: virsh pool-dumpxml",
                  "libvirt's description of it cannot be understood");
    else if (!gone)
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, object, "look at: virsh pool-dumpxml");
    free(xml);
    return pool || gone;
}

GPtrArray *
libvirt_list_pools(void *self, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    g_autoptr(GPtrArray) pools = g_ptr_array_new_with_free_func((GDestroyNotify)storage_pool_free);
    virStoragePoolPtr *list = NULL;
    gboolean good = TRUE;

    if (!connection)
        return NULL;
    int count =
        virConnectListAllStoragePools(connection, &list, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
    if (count < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, "storage pools of this host", NULL);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        good = good && add_pool(list[i], pools, error);
        virStoragePoolFree(list[i]);
    }
    free(list);
    return good ? g_steal_pointer(&pools) : NULL;
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
