/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One SQLite file: durable, used by one thread at a time. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

#include "common/fault.h"

/*
 * WAL with synchronous=FULL: what a committed transaction wrote is on disk, and so is whatever can
 * be read, also after a crash. Transactions of several threads that come at once share a commit
 * (common/shared_commit.h). A transaction that fails with FAULT_STORE_FAILED has no effect,
 * unless the process dies before another one is written: then it may have. All functions block on
 * it, are thread-safe where they say so, and fail with FAULT_STORE_FAILED naming the file. A file
 * that cannot be read is never repaired, replaced or removed.
 */
typedef struct Database Database;

/*
 * Opens or creates the file at @path (its directory with mode 0700); ":memory:" keeps nothing. A
 * new one gets @schema and @version; one of another version is refused.
 */
Database *database_open(const char *path, const char *schema, int version, GError **error);
void database_free(Database *database);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Database, database_free)

/* Takes the database for a transaction; blocks other threads until end(), which commits if @good
 * and otherwise takes back what was written. FALSE: that was so, or the commit failed; then that is
 * *error, whatever it was before, since this thread may have seen what is not there after all.
 * begin() that fails takes nothing. */
gboolean database_begin(Database *database, GError **error);
gboolean database_end(Database *database, gboolean good, GError **error);
/* Takes and gives back the database for reading alone. */
void database_lock(Database *database);
void database_unlock(Database *database);

/* The rest is for the thread that took the database. */

/* Prepares @sql, one of the program's own texts, and binds what follows: by @types "s" a const char
 * *, "i" a gint64. For database_run() or database_done(); NULL with @error. */
sqlite3_stmt *database_prepare(Database *database, GError **error, const char *sql,
                               const char *types, ...);
/* Gives @statement (may be NULL) back. It is kept compiled for the next time. */
void database_done(Database *database, sqlite3_stmt *statement);
/* Runs @statement, which returns no rows and is consumed; NULL is a failure already reported.
 * *ret_code (may be NULL) is SQLite's extended code. */
gboolean database_run(Database *database, sqlite3_stmt *statement, int *ret_code, GError **error);
/* The rows that the last run() changed, and the row id of the last insertion. */
int database_changes(const Database *database);
gint64 database_last_row(const Database *database);
/* Sets @error to SQLite's last one. FALSE. */
gboolean database_failed(const Database *database, GError **error);
/* Sets @error: @what (a record) is not as it was written. FALSE. */
gboolean database_damaged(const Database *database, const char *what, GError **error);
