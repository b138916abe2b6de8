/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_mount_table.h"

#include <string.h>

FakeMountTable *
fake_mount_table_new(void)
{
    FakeMountTable *fake = g_new0(FakeMountTable, 1);

    g_mutex_init(&fake->lock);
    fake->entries = g_ptr_array_new_with_free_func((GDestroyNotify)mount_entry_free);
    fake->next_id = 100;
    return fake;
}

void
fake_mount_table_free(FakeMountTable *fake)
{
    g_ptr_array_unref(fake->entries);
    g_mutex_clear(&fake->lock);
    g_free(fake);
}

/* With the lock. */
static gboolean
fails(const FakeMountTable *fake, const char *call, GError **error)
{
    if (g_strcmp0(fake->fail, call) != 0)
        return FALSE;
    fault_set(error, fake->code, "fake mounts", "mend it", "%s failed on purpose", call);
    return TRUE;
}

static MountEntry *
find_entry(FakeMountTable *fake, const char *target)
{
    for (guint i = fake->entries->len; i-- > 0;) {
        MountEntry *entry = fake->entries->pdata[i];

        if (g_str_equal(entry->target, target))
            return entry;
    }
    return NULL;
}

static gboolean
check(void *self, GError **error)
{
    FakeMountTable *fake = self;

    g_mutex_lock(&fake->lock);
    gboolean failed = fails(fake, "check", error);
    g_mutex_unlock(&fake->lock);
    return !failed;
}

static gboolean
find(void *self, const char *target, MountEntry **ret_entry, GError **error)
{
    FakeMountTable *fake = self;
    const MountEntry *entry;

    g_mutex_lock(&fake->lock);
    entry = find_entry(fake, target);
    *ret_entry = entry ? g_new0(MountEntry, 1) : NULL;
    if (entry) {
        (*ret_entry)->id = entry->id;
        (*ret_entry)->source = g_strdup(entry->source);
        (*ret_entry)->target = g_strdup(entry->target);
        (*ret_entry)->type = g_strdup(entry->type);
        (*ret_entry)->options = g_strdup(entry->options);
    }
    g_mutex_unlock(&fake->lock);
    return TRUE;
}

static gboolean
is_this_host(void *self, const char *host)
{
    FakeMountTable *fake = self;

    g_mutex_lock(&fake->lock);
    gboolean is_this = g_strcmp0(host, fake->this_host) == 0;
    g_mutex_unlock(&fake->lock);
    return is_this;
}

static void
add(FakeMountTable *fake, const char *source, const char *target, const char *type,
    const char *options)
{
    MountEntry *entry = g_new0(MountEntry, 1);

    entry->id = fake->next_id++;
    entry->source = g_strdup(source);
    entry->target = g_strdup(target);
    entry->type = g_strdup(type);
    entry->options = g_strdup(options);
    g_ptr_array_add(fake->entries, entry);
}

static gboolean
mount_source(void *self, const char *source, const char *target, const char *options,
             GError **error)
{
    FakeMountTable *fake = self;
    g_autofree char *listed =
        g_strconcat(strstr(options, "vers=") ? "" : "vers=4.2,", options, NULL);
    gboolean failed;

    g_mutex_lock(&fake->lock);
    Hang *hang = fake->hang;
    g_mutex_unlock(&fake->lock);
    if (hang)
        hang_pass(hang);
    g_mutex_lock(&fake->lock);
    failed = fails(fake, "mount", error);
    if (!failed) {
        add(fake, source, target, "nfs4", listed);
        fake->mounted++;
    }
    g_mutex_unlock(&fake->lock);
    return !failed;
}

static gboolean
unmount(void *self, const MountEntry *entry, GError **error)
{
    FakeMountTable *fake = self;
    MountEntry *found;
    gboolean failed;

    g_mutex_lock(&fake->lock);
    failed = fails(fake, "unmount", error);
    found = find_entry(fake, entry->target);
    if (!failed && found && found->id == entry->id)
        g_ptr_array_remove(fake->entries, found);
    g_mutex_unlock(&fake->lock);
    return !failed;
}

static gboolean
find_user(void *self, const char *target, char **ret_user, GError **error)
{
    FakeMountTable *fake = self;

    g_mutex_lock(&fake->lock);
    *ret_user = g_strdup(fake->user);
    g_mutex_unlock(&fake->lock);
    return TRUE;
}

static void
leave_fake(void *self)
{
}

MountTable *
fake_mount_table_get(FakeMountTable *fake)
{
    static const MountTableOps ops = {
        .check = check,
        .find = find,
        .is_this_host = is_this_host,
        .mount = mount_source,
        .unmount = unmount,
        .find_user = find_user,
        .free = leave_fake,
    };

    return mount_table_new(&ops, fake);
}

void
fake_mount_table_fail(FakeMountTable *fake, const char *call, FaultCode code)
{
    g_mutex_lock(&fake->lock);
    fake->fail = call;
    fake->code = code;
    g_mutex_unlock(&fake->lock);
}

void
fake_mount_table_set_user(FakeMountTable *fake, const char *user)
{
    g_mutex_lock(&fake->lock);
    fake->user = user;
    g_mutex_unlock(&fake->lock);
}

void
fake_mount_table_set_this_host(FakeMountTable *fake, const char *name)
{
    g_mutex_lock(&fake->lock);
    fake->this_host = name;
    g_mutex_unlock(&fake->lock);
}

void
fake_mount_table_set_hang(FakeMountTable *fake, Hang *hang)
{
    g_mutex_lock(&fake->lock);
    fake->hang = hang;
    g_mutex_unlock(&fake->lock);
}

void
fake_mount_table_mount_with(FakeMountTable *fake, const char *source, const char *target,
                            const char *type, const char *options)
{
    g_mutex_lock(&fake->lock);
    add(fake, source, target, type, options);
    g_mutex_unlock(&fake->lock);
}

void
fake_mount_table_mount(FakeMountTable *fake, const char *source, const char *target,
                       const char *type)
{
    fake_mount_table_mount_with(fake, source, target, type, "rw,vers=4.2,hard,local_lock=none");
}

void
fake_mount_table_forget(FakeMountTable *fake)
{
    g_mutex_lock(&fake->lock);
    g_ptr_array_set_size(fake->entries, 0);
    g_mutex_unlock(&fake->lock);
}

unsigned
fake_mount_table_count(FakeMountTable *fake)
{
    unsigned count;

    g_mutex_lock(&fake->lock);
    count = fake->entries->len;
    g_mutex_unlock(&fake->lock);
    return count;
}

unsigned
fake_mount_table_mounted(FakeMountTable *fake)
{
    unsigned mounted;

    g_mutex_lock(&fake->lock);
    mounted = fake->mounted;
    g_mutex_unlock(&fake->lock);
    return mounted;
}
