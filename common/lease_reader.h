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

/* All of the following consume @statement; NULL is a failure already reported. FAULT_STORE_FAILED.
 */

/* The leases that @statement selects, oldest first if it says so: GPtrArray of Lease *. Fails if
 * one of them is damaged. */
GPtrArray *lease_reader_read(const LeaseReader *reader, sqlite3_stmt *statement, GError **error);
/* The same without their assets and with those that are damaged, whose request may be NULL. */
GPtrArray *lease_reader_read_rows(const LeaseReader *reader, sqlite3_stmt *statement,
                                  GError **error);
/* Adds the assets to a lease of lease_reader_read_rows(). *ret_damaged: its record is not as it was
 * written; else it cannot be read now. */
gboolean lease_reader_complete(const LeaseReader *reader, Lease *lease, gboolean *ret_damaged,
                               GError **error);
