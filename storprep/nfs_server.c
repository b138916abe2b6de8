/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the table of operations on an NFS server, whichever it is. */
#include "storprep/nfs_server.h"

struct NfsServer {
    const NfsServerOps *ops;
    void *self;
};

void
nfs_export_free(NfsExport *share)
{
    if (!share)
        return;
    g_free(share->client);
    g_free(share->path);
    g_free(share->options);
    g_free(share);
}

NfsServer *
nfs_server_new(const NfsServerOps *ops, void *self)
{
    NfsServer *server = g_new0(NfsServer, 1);

    server->ops = ops;
    server->self = self;
    return server;
}

void
nfs_server_free(NfsServer *server)
{
    if (!server)
        return;
    server->ops->free(server->self);
    g_free(server);
}

gboolean
nfs_server_check(NfsServer *server, GError **error)
{
    return server->ops->check(server->self, error);
}

char *
nfs_server_canonical_client(NfsServer *server, const char *client, GError **error)
{
    return server->ops->canonical_client(server->self, client, error);
}

GPtrArray *
nfs_server_list(NfsServer *server, GError **error)
{
    return server->ops->list(server->self, error);
}

gboolean
nfs_server_add(NfsServer *server, const char *client, const char *path, const char *options,
               GError **error)
{
    return server->ops->add(server->self, client, path, options, error);
}

gboolean
nfs_server_remove(NfsServer *server, const char *client, const char *path, GError **error)
{
    return server->ops->remove(server->self, client, path, error);
}

gboolean
nfs_server_find_user(NfsServer *server, const char *path, char **ret_user, GError **error)
{
    return server->ops->find_user(server->self, path, ret_user, error);
}

const NfsExport *
nfs_export_find(const GPtrArray *exports, const char *client, const char *path)
{
    for (guint i = 0; i < exports->len; i++) {
        const NfsExport *share = exports->pdata[i];

        if (g_ascii_strcasecmp(share->client, client) == 0 && g_str_equal(share->path, path))
            return share;
    }
    return NULL;
}

gboolean
nfs_export_has_option(const char *options, const char *option)
{
    g_auto(GStrv) words = g_strsplit(options, ",", -1);

    return g_strv_contains((const char *const *)words, option);
}
