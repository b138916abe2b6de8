/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host for storprepd's checks of which all is fake: files, mounts, firewall, the way to host2 and
 * what a server of network storage says. Every check holds on it. */
#pragma once

#include "fake/check_case.h"
#include "fake/target_fixture.h"
#include "storprep/storage_check.h"

typedef struct {
    TargetFixture fixture;
    StorageChecks *checks;
    json_t *facts; /* what the other host, host2, told */
    const char *directories[2];
    char *root;
    char *mount_info;
    const char *devices, *settings; /* of guest web1, as XML */
    unsigned measure_seconds;
    gboolean login;
} CheckedHost;

CheckedHost *checked_host_new(void);
void checked_host_free(CheckedHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckedHost, checked_host_free)

/* Host2 is 192.0.2.2; what is blocked on the way there. */
typedef struct {
    guint16 first, last;
    gboolean unknown_name, loopback;
    gboolean closed; /* to root */
} CheckedWay;
CheckedWay *checked_host_way(void); /* of the one that there is */

/* What the server of /srv says of QEMU's user. */
typedef struct {
    const char *withheld; /* what it may not; NULL: nothing */
    gboolean hangs;       /* when it is asked for files */
    gboolean silent;      /* it does not answer at all */
    gboolean stale;       /* it answers that the directory is gone */
    int asked;            /* atomic: how often it was asked whether it is there */
} CheckedServer;
CheckedServer *checked_host_server(void); /* likewise */

/* Writes a file below the root of @data, a CheckedHost. */
void checked_host_write(void *data, const char *path, const char *text);
/* Mounts /srv with these options. */
void checked_host_mount(void *data, const char *options);
/* Has host2 told @value, which is stolen. */
void checked_host_tell(void *data, const char *name, json_t *value);
/* Web1 runs here, with its devices and settings. */
void checked_host_add_guest(CheckedHost *host);
/* The report on the way to host2. */
CheckReport *checked_host_leave(CheckedHost *host);

/* For CheckCase.prepare: the host alone is asked, or web1 is to come, to stay or to leave, for
 * which this host logs in on host2. */
void checked_host_alone(void *data);
void checked_host_arrives(void *data);
void checked_host_stays(void *data);
void checked_host_leaves(void *data);
void checked_host_logs_in(void *data);
extern const CheckSuite checked_host_suite;
