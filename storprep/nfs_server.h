/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The link to this host's NFS server: what it exports, to whom, and who has files open. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. Host access is the table NfsServerOps; nfs_server_kernel.c has the real one
 * (exportfs and the kernel's nfsd), tests/fake one in memory. Exports are made in the running
 * server only: /etc/exports stays the administrator's. They are therefore gone after a restart of
 * the service, and whoever needs them makes them again. All operations block.
 */
typedef struct NfsServer NfsServer;

typedef struct {
    char *client;  /* as the server names it */
    char *path;    /* of the directory, links resolved */
    char *options; /* all that apply, comma-separated */
} NfsExport;
void nfs_export_free(NfsExport *share);

typedef struct {
    /* FAULT_SHARE_UNAVAILABLE unless the service runs and listens. */
    gboolean (*check)(void *self, GError **error);
    /* The name that list() will have for @client. FAULT_SHARE_REFUSED if nobody knows the host. */
    char *(*canonical_client)(void *self, const char *client, GError **error);
    /* GPtrArray of NfsExport *. FAULT_SHARE_UNAVAILABLE if they cannot be read. */
    GPtrArray *(*list)(void *self, GError **error);
    /* FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT. Making what is there changes its options. */
    gboolean (*add)(void *self, const char *client, const char *path, const char *options,
                    GError **error);
    gboolean (*remove)(void *self, const char *client, const char *path, GError **error);
    /* Sets *ret_user to a client with a file below @path open ("10.98.0.2:921"), or NULL. NFSv3
     * clients open nothing that the server could tell. FAULT_SHARE_UNAVAILABLE if it cannot be
     * told. */
    gboolean (*find_user)(void *self, const char *path, char **ret_user, GError **error);
    void (*free)(void *self);
} NfsServerOps;

/* Takes @self over (freed by ops->free). */
NfsServer *nfs_server_new(const NfsServerOps *ops, void *self);
/* The real one; @root is "" or, for tests, a directory that stands for "/". */
NfsServer *nfs_server_new_kernel(const char *root);
void nfs_server_free(NfsServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NfsServer, nfs_server_free)

/* The operations, as in NfsServerOps. Thread-safe as far as @self is. */
gboolean nfs_server_check(NfsServer *server, GError **error);
char *nfs_server_canonical_client(NfsServer *server, const char *client, GError **error);
GPtrArray *nfs_server_list(NfsServer *server, GError **error);
gboolean nfs_server_add(NfsServer *server, const char *client, const char *path,
                        const char *options, GError **error);
gboolean nfs_server_remove(NfsServer *server, const char *client, const char *path, GError **error);
gboolean nfs_server_find_user(NfsServer *server, const char *path, char **ret_user, GError **error);

/* The export of @path to @client among @exports, or NULL. Borrowed. Pure. */
const NfsExport *nfs_export_find(const GPtrArray *exports, const char *client, const char *path);
/* Whether @options holds the word @option. Pure. */
gboolean nfs_export_has_option(const char *options, const char *option);
