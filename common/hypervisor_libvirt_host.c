/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks libvirt about the host: versions, memory, huge pages, processors. */
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "common/hypervisor_libvirt.h"

#define OBJECT         "this host"
#define BYTES_PER_KIB  1024
#define MEMORY_STATS   16
#define HUGE_PAGES_KIB 64 /* what is smaller is the usual size of some architecture */

static guint64
stat_value(const virNodeMemoryStats *stats, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(stats[i].field, name) == 0)
            return stats[i].value * BYTES_PER_KIB;
    }
    return 0;
}

/* The kernel gives up buffers and caches for a guest; drivers without statistics tell less. */
static guint64
available_memory(virConnectPtr connection)
{
    virNodeMemoryStats stats[MEMORY_STATS] = { 0 };
    int count = 0;

    if (virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &count, 0) < 0 ||
        count > MEMORY_STATS ||
        virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &count, 0) < 0)
        return virNodeGetFreeMemory(connection);
    return stat_value(stats, count, VIR_NODE_MEMORY_STATS_FREE) +
           stat_value(stats, count, VIR_NODE_MEMORY_STATS_BUFFERS) +
           stat_value(stats, count, VIR_NODE_MEMORY_STATS_CACHED);
}

/* A size that the host cannot count is left out, so that nobody takes it for none free. */
static GArray *
read_huge_pages(virConnectPtr connection, const char *capabilities)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(HugePages));
    g_autoptr(GArray) sizes = hypervisor_host_page_sizes(capabilities);

    for (guint i = 0; i < sizes->len; i++) {
        unsigned size = g_array_index(sizes, unsigned, i);
        unsigned long long count = 0;

        if (size < HUGE_PAGES_KIB ||
            virNodeGetFreePages(connection, 1, &size, -1, 1, &count, 0) < 0)
            continue;
        HugePages pages = { (guint64)size * BYTES_PER_KIB, count };
        g_array_append_val(found, pages);
    }
    return found;
}

HypervisorHost *
libvirt_get_host(void *self, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);
    g_autoptr(HypervisorHost) host = g_new0(HypervisorHost, 1);
    unsigned long version = 0, library = 0;
    virNodeInfo node;

    if (!connection)
        return NULL;
    char *capabilities = virConnectGetCapabilities(connection);
    host->capabilities = g_strdup(capabilities);
    free(capabilities);
    if (!host->capabilities || virConnectGetVersion(connection, &version) < 0 ||
        virConnectGetLibVersion(connection, &library) < 0 ||
        virNodeGetInfo(connection, &node) < 0) {
        libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, OBJECT,
                          "look at: journalctl -u libvirtd");
        return NULL;
    }
    host->type = g_strdup(virConnectGetType(connection));
    char *uri = virConnectGetURI(connection);
    host->uri = g_strdup(uri);
    free(uri);
    host->version = version;
    host->library_version = library;
    host->processors = node.cpus;
    host->available_bytes = available_memory(connection);
    host->huge_pages = read_huge_pages(connection, host->capabilities);
    return g_steal_pointer(&host);
}

/* What QEMU can give to guests leaves out features that a host passed through has. */
static int
compare_processor(virConnectPtr connection, const HypervisorMachine *machine, const char *xml)
{
    const unsigned flags = VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE;

    if (machine->own)
        return virConnectCompareCPU(connection, xml, flags);
    return virConnectCompareHypervisorCPU(connection, machine->emulator, machine->architecture,
                                          machine->machine, machine->type, xml, flags);
}

gboolean
libvirt_compare_processor(void *self, const HypervisorMachine *machine, const char *xml,
                          char **ret_obstacle, GError **error)
{
    g_autoptr(virConnect) connection = libvirt_link_acquire(self, error);

    if (!connection)
        return FALSE;
    int result = compare_processor(connection, machine, xml);
    const virError *last = virGetLastError();
    if (result >= 0) {
        *ret_obstacle =
            result == VIR_CPU_COMPARE_INCOMPATIBLE ? g_strdup("it lacks features") : NULL;
        return TRUE;
    }
    if (last && last->code == VIR_ERR_CPU_INCOMPATIBLE) {
        *ret_obstacle = g_strdup(last->message ? last->message : "it lacks features");
        return TRUE;
    }
    libvirt_set_fault(error, FAULT_HYPERVISOR_FAILED, OBJECT, NULL);
    return FALSE;
}
