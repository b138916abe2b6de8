/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads leases from the rows of a lease database. */
#pragma once

#include "common/database.h"
#include "common/lease.h"

typedef struct {
    Database *database; /* borrowed; taken by whoever calls, as for all of database.h */
    char *boot_id;      /* of this boot */
} LeaseReader;

/* What a statement has to select of a lease. */
#define LEASE_COLUMNS                                                                              \
    "generation, id, kind, owner, token, guest_name, guest_uuid, state, reason, request, "         \
    "created_usec, boot_id, deadline_usec"

/* CLOCK_BOOTTIME in microseconds: what deadlines are counted by. */
gint64 lease_clock_usec(void);
/* The text in @column of the row that @statement stands on; "" for none. Owned by the caller. */
char *lease_reader_text(sqlite3_stmt *statement, int column);

/* The lease that @statement (consumed) selects, with its assets; NULL without an error: none. A
 * @statement that is NULL is a failure already reported. FAULT_STORE_FAILED, also if it is damaged.
 */
Lease *lease_reader_find(const LeaseReader *reader, sqlite3_stmt *statement, GError **error);
/* All leases, oldest first: GPtrArray of Lease *. One whose record, or that of an asset, is not as
 * it was written has no request. FAULT_STORE_FAILED. */
GPtrArray *lease_reader_list(const LeaseReader *reader, GError **error);
/* FAULT_STORE_FAILED, which says that the record of @lease is damaged. */
void lease_reader_damaged(const LeaseReader *reader, const Lease *lease, GError **error);
