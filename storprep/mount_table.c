/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the table of operations on mounts, whoever does them. */
#include "storprep/mount_table.h"

#include <string.h>

struct MountTable {
    const MountTableOps *ops;
    void *self;
};

void
mount_entry_free(MountEntry *entry)
{
    if (!entry)
        return;
    g_free(entry->source);
    g_free(entry->target);
    g_free(entry->type);
    g_free(entry->options);
    g_free(entry);
}

MountTable *
mount_table_new(const MountTableOps *ops, void *self)
{
    MountTable *table = g_new0(MountTable, 1);

    table->ops = ops;
    table->self = self;
    return table;
}

void
mount_table_free(MountTable *table)
{
    if (!table)
        return;
    table->ops->free(table->self);
    g_free(table);
}

gboolean
mount_table_check(MountTable *table, GError **error)
{
    return table->ops->check(table->self, error);
}

gboolean
mount_table_find(MountTable *table, const char *target, MountEntry **ret_entry, GError **error)
{
    return table->ops->find(table->self, target, ret_entry, error);
}

gboolean
mount_table_is_this_host(MountTable *table, const char *host)
{
    return table->ops->is_this_host(table->self, host);
}

gboolean
mount_table_mount(MountTable *table, const char *source, const char *target, const char *options,
                  GError **error)
{
    return table->ops->mount(table->self, source, target, options, error);
}

gboolean
mount_table_unmount(MountTable *table, const MountEntry *entry, GError **error)
{
    return table->ops->unmount(table->self, entry, error);
}

gboolean
mount_table_find_user(MountTable *table, const char *target, char **ret_user, GError **error)
{
    return table->ops->find_user(table->self, target, ret_user, error);
}

const char *
mount_options_danger(const char *options)
{
    static const char *const dangers[] = {
        "ro", "soft", "softerr", "nolock", "local_lock=all", "local_lock=flock", "local_lock=posix"
    };
    g_auto(GStrv) words = g_strsplit(options, ",", -1);

    for (gsize i = 0; i < G_N_ELEMENTS(dangers); i++) {
        if (g_strv_contains((const char *const *)words, dangers[i]))
            return dangers[i];
    }
    return NULL;
}

static size_t
length_without_slashes(const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '/')
        length--;
    return length;
}

gboolean
mount_entry_is_nfs_of(const MountEntry *entry, const char *source)
{
    size_t length = length_without_slashes(source);

    return g_str_has_prefix(entry->type, "nfs") &&
           length == length_without_slashes(entry->source) &&
           strncmp(entry->source, source, length) == 0;
}
