/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An NFS server in memory: what it exports, who uses it, and which call fails. */
#pragma once

#include "storprep/nfs_server.h"

typedef struct {
    GMutex lock;
    GPtrArray *exports; /* of NfsExport * */
    gboolean down;      /* check() fails */
    const char *user;   /* who has files open; NULL: nobody */
    const char *unknown_host;
    const char *fail;   /* "add" | "remove" | "list": fails from now on */
    unsigned additions; /* calls of add() that worked */
} FakeNfsServer;

FakeNfsServer *fake_nfs_server_new(void);
/* The link to it, which borrows @fake. */
NfsServer *fake_nfs_server_get(FakeNfsServer *fake);
void fake_nfs_server_free(FakeNfsServer *fake);

/* As the administrator does. */
void fake_nfs_server_export(FakeNfsServer *fake, const char *client, const char *path,
                            const char *options);
/* A restart of the service: what was not in /etc/exports is gone. */
void fake_nfs_server_forget(FakeNfsServer *fake);
unsigned fake_nfs_server_count(FakeNfsServer *fake);
