/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_hypervisor_host.h"

#include "fake/fake_hypervisor.h"

#define GIB (1ULL << 30)

const FakeHost FAKE_HOST_DEFAULT = {
    .type = "QEMU",
    .uri = "qemu:///system",
    .offered = "kvm",
    .tsc_hertz = 2000000000,
    .version = 7002000,
    .processors = 8,
    .available_bytes = 16 * GIB,
    .huge_pages = { 2ULL << 20, 512 },
    .machine = "pc-q35-7.2",
};

static const char capabilities[] =
    "<capabilities><host><cpu><arch>x86_64</arch><model>Haswell</model><vendor>Intel</vendor>"
    "<counter name='tsc' frequency='%" G_GUINT64_FORMAT "' scaling='no'/>"
    "<pages unit='KiB' size='4'/><pages unit='KiB' size='2048'/></cpu></host>"
    "<guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/usr/bin/qemu</emulator>"
    "<machine canonical='%s'>q35</machine><domain type='%s'/></arch></guest></capabilities>";

HypervisorHost *
fake_host_get(void *self, GError **error)
{
    const FakeHost *fake = fake_hypervisor_host(self);
    HypervisorHost *host = NULL;

    if (!fake_hypervisor_enter(self, "get_host", NULL, error))
        return NULL;
    host = g_new0(HypervisorHost, 1);
    host->type = g_strdup(fake->type);
    host->uri = g_strdup(fake->uri);
    host->version = host->library_version = fake->version;
    host->processors = fake->processors;
    host->available_bytes = fake->available_bytes;
    host->huge_pages = g_array_new(FALSE, FALSE, sizeof(HugePages));
    g_array_append_val(host->huge_pages, fake->huge_pages);
    host->capabilities =
        g_strdup_printf(capabilities, fake->tsc_hertz, fake->machine, fake->offered);
    return host;
}

gboolean
fake_host_compare_processor(void *self, const HypervisorMachine *machine, const char *xml,
                            char **ret_obstacle, GError **error)
{
    if (!fake_hypervisor_enter(self, "compare_processor", NULL, error))
        return FALSE;
    *ret_obstacle = g_strdup(machine->own ? NULL : fake_hypervisor_host(self)->processor_obstacle);
    return TRUE;
}

static void
look_at(Guest *guest, void *data)
{
}

GuestCondition *
fake_host_inspect_guest(void *self, const char *uuid, GError **error)
{
    const FakeHost *fake = fake_hypervisor_host(self);
    const char *messages[] = { fake->message, NULL };

    if (!fake_hypervisor_enter(self, "inspect_guest", uuid, error))
        return NULL;
    if (!fake_hypervisor_with_guest(self, uuid, look_at, NULL, error))
        return NULL;
    GuestCondition *condition = g_new0(GuestCondition, 1);
    condition->snapshots = fake->snapshots;
    condition->job_disk = g_strdup(fake->job_disk);
    condition->broken_disk = g_strdup(fake->broken_disk);
    condition->messages = g_strdupv((char **)messages);
    return condition;
}

char *
fake_host_get_definition(void *self, const char *uuid, gboolean persistent, GError **error)
{
    if (!fake_hypervisor_enter(self, "get_definition", uuid, error))
        return NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(fake_hypervisor_get(self), uuid, error);
    return guest ? g_strdup(persistent ? guest->inactive_xml : guest->xml) : NULL;
}

GPtrArray *
fake_host_list_pools(void *self, GError **error)
{
    const FakeHost *fake = fake_hypervisor_host(self);

    if (!fake_hypervisor_enter(self, "list_pools", NULL, error))
        return NULL;
    GPtrArray *pools = g_ptr_array_new_with_free_func((GDestroyNotify)storage_pool_free);
    if (fake->pool) {
        StoragePool *pool = g_new0(StoragePool, 1);

        pool->name = g_strdup(fake->pool);
        pool->path = g_strdup(fake->pool_path);
        pool->type = g_strdup(fake->pool_type   ? fake->pool_type
                              : fake->pool_host ? "netfs"
                                                : "dir");
        pool->source_host = g_strdup(fake->pool_host);
        pool->source_directory = g_strdup(fake->pool_directory);
        g_ptr_array_add(pools, pool);
    }
    return pools;
}

gboolean
fake_host_measure_dirty_rate(void *self, const char *uuid, unsigned seconds,
                             guint64 *ret_bytes_per_second, GError **error)
{
    const FakeHost *fake = fake_hypervisor_host(self);

    if (!fake_hypervisor_enter(self, "measure_dirty_rate", uuid, error))
        return FALSE;
    if (fake->dirty_bytes_per_second == 0) {
        fault_set(error, FAULT_HYPERVISOR_FAILED, "dirty rate", NULL, "QEMU cannot tell");
        return FALSE;
    }
    *ret_bytes_per_second = fake->dirty_bytes_per_second;
    return TRUE;
}

char *
fake_host_baseline_processor(void *self, const char *const *processors, GError **error)
{
    if (!fake_hypervisor_enter(self, "baseline_processor", NULL, error))
        return NULL;
    return g_strdup(processors[0] ? processors[0] : "<cpu><model>Own</model></cpu>");
}

gboolean
fake_host_create_pool(void *self, const StoragePool *pool, GError **error)
{
    FakeHost *fake = fake_hypervisor_host(self);

    if (!fake_hypervisor_enter(self, "create_pool", pool->name, error))
        return FALSE;
    fake->pool = g_intern_string(pool->name);
    fake->pool_path = g_intern_string(pool->path);
    fake->pool_host = g_intern_string(pool->source_host);
    fake->pool_directory = g_intern_string(pool->source_directory);
    return TRUE;
}

gboolean
fake_host_destroy_pool(void *self, const char *name, GError **error)
{
    FakeHost *fake = fake_hypervisor_host(self);

    if (!fake_hypervisor_enter(self, "destroy_pool", name, error))
        return FALSE;
    if (g_strcmp0(fake->pool, name) == 0)
        fake->pool = NULL;
    return TRUE;
}

char *
fake_host_find_volume(void *self, const char *pool, const char *volume, GError **error)
{
    const FakeHost *fake = fake_hypervisor_host(self);

    if (!fake_hypervisor_enter(self, "find_volume", volume, error))
        return NULL;
    if (g_strcmp0(fake->pool, pool) == 0 && g_strcmp0(fake->volume, volume) == 0)
        return g_build_filename(fake->pool_path, volume, NULL);
    fault_set(error, FAULT_HYPERVISOR_FAILED, volume, NULL,
              "Storage volume not found: no storage vol with matching name '%s'", volume);
    return NULL;
}

gboolean
fake_host_refresh_pool(void *self, const char *name, GError **error)
{
    if (!fake_hypervisor_enter(self, "refresh_pool", name, error))
        return FALSE;
    if (g_strcmp0(fake_hypervisor_host(self)->pool, name) == 0)
        return TRUE;
    fault_set(error, FAULT_HYPERVISOR_FAILED, name, NULL, "Storage pool not found");
    return FALSE;
}
