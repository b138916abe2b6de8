/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a lease database says, read by SQL alone: for auditors, who use nothing of the daemons. */
#pragma once

#include <glib.h>

typedef struct DatabaseAudit DatabaseAudit;

/* Reads the database at @path as it is. Fails the test unless SQLite finds it sound, each asset is
 * of one lease that exists, and no two leases hold the same. */
DatabaseAudit *database_audit_new(const char *path);
void database_audit_free(DatabaseAudit *audit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DatabaseAudit, database_audit_free)

unsigned database_audit_leases(const DatabaseAudit *audit);
/* The id of the lease with an asset whose key begins with @key; "" if there is none. Borrowed. */
const char *database_audit_holder(const DatabaseAudit *audit, const char *key);
/* One row of the table of assets, and its lease's state. Borrowed. */
typedef struct {
    char *kind, *key, *state, *lease, *lease_state;
} DatabaseAsset;
void database_audit_each(const DatabaseAudit *audit,
                         void (*look)(const DatabaseAsset *asset, void *data), void *data);
/* All details of assets, one a line: to look for names in. Borrowed. */
const char *database_audit_details(const DatabaseAudit *audit);
