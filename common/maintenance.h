/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a host is being emptied, so that no guest should come to it. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. A file is the state: there while the host is in maintenance, its first line
 * says why. Both daemons look at it for each request, so there is nothing to tell them and nothing
 * that a restart of them could lose. The first place is gone after a restart of the host, as all
 * below /run: a host that was restarted for its maintenance takes guests again. The second one is
 * for a maintenance that outlives restarts.
 *
 * @root is "" or, for tests, a directory that stands for "/". All functions block on the disk.
 */
#define MAINTENANCE_PATH         "/run/migprep/maintenance"
#define MAINTENANCE_LASTING_PATH "/var/lib/migprep/maintenance"

typedef struct {
    char *reason; /* may be "" */
    gboolean lasting;
    gint64 since_unix_seconds; /* when the reason was written */
} Maintenance;

void maintenance_free(Maintenance *maintenance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Maintenance, maintenance_free)

/* NULL if the host takes guests. */
Maintenance *maintenance_read(const char *root);
/* Its reason alone. Owned by the caller. */
char *maintenance_reason(const char *root);

/* TRUE if the host takes guests, else FAULT_HOST_IN_MAINTENANCE about @object, which was to come
 * here ("guest 'web1'"). */
gboolean maintenance_check(const char *root, const char *object, GError **error);

/* Durable before it returns. On a host that is in maintenance it replaces the reason, and may make
 * it lasting, but not the other way round. Requests that were let in before go on.
 * FAULT_PERMISSION_DENIED, FAULT_STORE_FAILED. */
gboolean maintenance_begin(const char *root, const char *reason, gboolean lasting, GError **error);
/* A host that is not in maintenance stays so. Errors as for maintenance_begin(). */
gboolean maintenance_end(const char *root, GError **error);
