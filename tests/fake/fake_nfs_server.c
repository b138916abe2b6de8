/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_nfs_server.h"

#include "common/fault.h"

FakeNfsServer *
fake_nfs_server_new(void)
{
    FakeNfsServer *fake = g_new0(FakeNfsServer, 1);

    g_mutex_init(&fake->lock);
    fake->exports = g_ptr_array_new_with_free_func((GDestroyNotify)nfs_export_free);
    return fake;
}

void
fake_nfs_server_free(FakeNfsServer *fake)
{
    g_ptr_array_unref(fake->exports);
    g_mutex_clear(&fake->lock);
    g_free(fake);
}

static gboolean
fails(FakeNfsServer *fake, const char *call, GError **error)
{
    if (g_strcmp0(fake->fail, call) != 0)
        return FALSE;
    fault_set(error, FAULT_PROGRAM_FAILED, "program 'exportfs'", "mend it", "%s failed on purpose",
              call);
    return TRUE;
}

static gboolean
check(void *self, GError **error)
{
    FakeNfsServer *fake = self;

    if (fake->down)
        fault_set(error, FAULT_SHARE_UNAVAILABLE, "NFS server of this host", "start it", "down");
    return !fake->down;
}

static char *
canonical_client(void *self, const char *client, GError **error)
{
    FakeNfsServer *fake = self;

    if (g_strcmp0(fake->unknown_host, client) != 0)
        return g_strdup(client);
    fault_set(error, FAULT_SHARE_REFUSED, client, "add it", "unknown");
    return NULL;
}

static NfsExport *
make_export(const char *client, const char *path, const char *options)
{
    NfsExport *share = g_new0(NfsExport, 1);

    share->client = g_strdup(client);
    share->path = g_strdup(path);
    share->options = g_strdup(options);
    return share;
}

static GPtrArray *
list(void *self, GError **error)
{
    FakeNfsServer *fake = self;
    GPtrArray *copy = NULL;

    g_mutex_lock(&fake->lock);
    if (!fails(fake, "list", error)) {
        copy = g_ptr_array_new_with_free_func((GDestroyNotify)nfs_export_free);
        for (guint i = 0; i < fake->exports->len; i++) {
            const NfsExport *share = fake->exports->pdata[i];

            g_ptr_array_add(copy, make_export(share->client, share->path, share->options));
        }
    }
    g_mutex_unlock(&fake->lock);
    return copy;
}

static void
drop(FakeNfsServer *fake, const char *client, const char *path)
{
    const NfsExport *share = nfs_export_find(fake->exports, client, path);

    if (share)
        g_ptr_array_remove(fake->exports, (void *)share);
}

static gboolean
add(void *self, const char *client, const char *path, const char *options, GError **error)
{
    FakeNfsServer *fake = self;
    gboolean failed;

    g_mutex_lock(&fake->lock);
    failed = fails(fake, "add", error);
    if (!failed) {
        g_autofree char *listed = g_strconcat(options, ",wdelay", NULL);

        drop(fake, client, path);
        g_ptr_array_add(fake->exports, make_export(client, path, listed));
        fake->additions++;
    }
    g_mutex_unlock(&fake->lock);
    return !failed;
}

static gboolean
remove_export(void *self, const char *client, const char *path, GError **error)
{
    FakeNfsServer *fake = self;
    gboolean failed;

    g_mutex_lock(&fake->lock);
    failed = fails(fake, "remove", error);
    if (!failed)
        drop(fake, client, path);
    g_mutex_unlock(&fake->lock);
    return !failed;
}

static gboolean
find_user(void *self, const char *path, char **ret_user, GError **error)
{
    FakeNfsServer *fake = self;

    *ret_user = g_strdup(fake->user);
    return TRUE;
}

static void
leave_fake(void *self)
{
}

NfsServer *
fake_nfs_server_get(FakeNfsServer *fake)
{
    static const NfsServerOps ops = {
        .check = check,
        .canonical_client = canonical_client,
        .list = list,
        .add = add,
        .remove = remove_export,
        .find_user = find_user,
        .free = leave_fake,
    };

    return nfs_server_new(&ops, fake);
}

void
fake_nfs_server_export(FakeNfsServer *fake, const char *client, const char *path,
                       const char *options)
{
    g_mutex_lock(&fake->lock);
    drop(fake, client, path);
    g_ptr_array_add(fake->exports, make_export(client, path, options));
    g_mutex_unlock(&fake->lock);
}

void
fake_nfs_server_forget(FakeNfsServer *fake)
{
    g_mutex_lock(&fake->lock);
    g_ptr_array_set_size(fake->exports, 0);
    g_mutex_unlock(&fake->lock);
}

unsigned
fake_nfs_server_count(FakeNfsServer *fake)
{
    unsigned count;

    g_mutex_lock(&fake->lock);
    count = fake->exports->len;
    g_mutex_unlock(&fake->lock);
    return count;
}
