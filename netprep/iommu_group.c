/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the IOMMU groups of all PCI devices. */
#include "netprep/iommu_group.h"

#include <string.h>

#include "netprep/sysfs_file.h"

#define PCI_CLASS_BRIDGE 0x06

struct IommuGroups {
    GHashTable *numbers; /* address -> number + 1 */
    GHashTable *members; /* number + 1 -> GPtrArray of addresses that are no bridges, borrowed */
};

void
iommu_groups_free(IommuGroups *groups)
{
    if (!groups)
        return;
    g_hash_table_unref(groups->members);
    g_hash_table_unref(groups->numbers);
    g_free(groups);
}

static int
on_device(int inside, const char *address, void *data)
{
    IommuGroups *groups = data;
    char path[SYSFS_TEXT_BYTES], name[SYSFS_TEXT_BYTES], *end = NULL;

    g_snprintf(path, sizeof(path), "%s/iommu_group", address);
    int status = sysfs_read_link(inside, path, name);
    if (status < 0)
        return sysfs_is_absent(status) ? 0 : status;
    guint64 number = g_ascii_strtoull(name, &end, 10);
    if (end != name && number < G_MAXINT)
        g_hash_table_insert(groups->numbers, g_strdup(address), GINT_TO_POINTER((int)number + 1));
    return 0;
}

/* A class that cannot be read is no reason to think that the device is a bridge. */
static gboolean
is_bridge(int sysfs, const char *address)
{
    char path[SYSFS_TEXT_BYTES];
    gint64 class = 0;

    g_snprintf(path, sizeof(path), "bus/pci/devices/%s/class", address);
    return sysfs_read_number(sysfs, path, &class) == 0 && class >> 16 == PCI_CLASS_BRIDGE;
}

static void
add_member(IommuGroups *groups, char *address, void *number)
{
    GPtrArray *members = g_hash_table_lookup(groups->members, number);

    if (!members) {
        members = g_ptr_array_new();
        g_hash_table_insert(groups->members, number, members);
    }
    g_ptr_array_add(members, address);
}

/* Only in groups of several does it matter what the members are; most have one. */
static void
leave_bridges_out(int sysfs, IommuGroups *groups)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, groups->members);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        GPtrArray *members = value;

        for (guint i = members->len; members->len > 1 && i-- > 0;) {
            if (is_bridge(sysfs, members->pdata[i]))
                g_ptr_array_remove_index(members, i);
        }
    }
}

int
iommu_groups_read(int sysfs, IommuGroups **ret_groups)
{
    g_autoptr(IommuGroups) groups = g_new0(IommuGroups, 1);
    GHashTableIter iter;
    void *address, *number;

    groups->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    groups->members = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
    int status = sysfs_each(sysfs, "bus/pci/devices", on_device, groups);
    if (status < 0 && !sysfs_is_absent(status))
        return status;
    g_hash_table_iter_init(&iter, groups->numbers);
    while (g_hash_table_iter_next(&iter, &address, &number))
        add_member(groups, address, number);
    leave_bridges_out(sysfs, groups);
    *ret_groups = g_steal_pointer(&groups);
    return 0;
}

int
iommu_groups_find(const IommuGroups *groups, const char *address)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(groups->numbers, address)) - 1;
}

const char *
iommu_groups_partner(const IommuGroups *groups, const char *address)
{
    void *number = g_hash_table_lookup(groups->numbers, address);
    const GPtrArray *members = number ? g_hash_table_lookup(groups->members, number) : NULL;

    for (guint i = 0; members && i < members->len; i++) {
        if (strcmp(members->pdata[i], address) != 0)
            return members->pdata[i];
    }
    return NULL;
}
