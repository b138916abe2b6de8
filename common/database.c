/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns how SQLite is opened, locked and asked, and how its errors are told. */
#include "common/database.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/shared_commit.h"

#define BUSY_MSEC      5000
#define REMEDY_DAMAGED "stop the daemon, keep a copy of the file, and move it away"

struct Database {
    SharedCommit *commit;   /* whose turn it is */
    GHashTable *statements; /* SQL -> sqlite3_stmt *, which are not in use; with the lock */
    sqlite3 *connection;
    char *path;
};

gboolean
database_failed(const Database *database, GError **error)
{
    g_autofree char *object = g_strdup_printf("lease database %s", database->path);
    int code = sqlite3_errcode(database->connection);

    fault_set(error, FAULT_STORE_FAILED, object,
              code == SQLITE_CORRUPT || code == SQLITE_NOTADB
                  ? REMEDY_DAMAGED
                  : "see that its file system is writable and has space",
              "%s", sqlite3_errmsg(database->connection));
    return FALSE;
}

gboolean
database_damaged(const Database *database, const char *what, GError **error)
{
    g_autofree char *object = g_strdup_printf("lease database %s", database->path);

    fault_set(error, FAULT_STORE_FAILED, object, REMEDY_DAMAGED, "%s is damaged", what);
    return FALSE;
}

static gboolean
execute(Database *database, const char *sql, GError **error)
{
    return sqlite3_exec(database->connection, sql, NULL, NULL, NULL) == SQLITE_OK ||
           database_failed(database, error);
}

static void
finalize(gpointer statement)
{
    sqlite3_finalize(statement);
}

/* One that was compiled for @sql before and is not in use, else a new one. */
static sqlite3_stmt *
take_statement(Database *database, const char *sql, GError **error)
{
    sqlite3_stmt *statement = g_hash_table_lookup(database->statements, sql);

    if (statement)
        g_hash_table_steal(database->statements, sql);
    else if (sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                &statement, NULL) != SQLITE_OK)
        database_failed(database, error);
    return statement;
}

void
database_done(Database *database, sqlite3_stmt *statement)
{
    if (!statement)
        return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    /* The key is the statement's own text; another one of the same text goes, with its key. */
    g_hash_table_replace(database->statements, (gpointer)sqlite3_sql(statement), statement);
}

sqlite3_stmt *
database_prepare(Database *database, GError **error, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement = take_statement(database, sql, error);
    va_list values;

    if (!statement)
        return NULL;
    va_start(values, types);
    for (int i = 0; types[i]; i++) {
        if (types[i] == 's')
            sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
        else
            sqlite3_bind_int64(statement, i + 1, va_arg(values, gint64));
    }
    va_end(values);
    return statement;
}

gboolean
database_run(Database *database, sqlite3_stmt *statement, int *ret_code, GError **error)
{
    if (!statement)
        return FALSE;
    gboolean done = sqlite3_step(statement) == SQLITE_DONE;
    if (ret_code)
        *ret_code = done ? SQLITE_OK : sqlite3_extended_errcode(database->connection);
    if (!done)
        database_failed(database, error);
    database_done(database, statement);
    return done;
}

int
database_changes(const Database *database)
{
    return sqlite3_changes(database->connection);
}

gint64
database_last_row(const Database *database)
{
    return sqlite3_last_insert_rowid(database->connection);
}

gboolean
database_begin(Database *database, GError **error)
{
    return shared_commit_begin(database->commit, error);
}

gboolean
database_end(Database *database, gboolean good, GError **error)
{
    return shared_commit_end(database->commit, good, error);
}

void
database_lock(Database *database)
{
    shared_commit_begin_reading(database->commit);
}

void
database_unlock(Database *database)
{
    shared_commit_end_reading(database->commit);
}

static gboolean
read_version(Database *database, int *ret_version, GError **error)
{
    sqlite3_stmt *statement = database_prepare(database, error, "PRAGMA user_version", "");

    if (!statement)
        return FALSE;
    gboolean found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *ret_version = sqlite3_column_int(statement, 0);
    else
        database_failed(database, error);
    database_done(database, statement);
    return found;
}

/* In a transaction. */
static gboolean
check_version(Database *database, const char *schema, int wanted, GError **error)
{
    g_autofree char *set = g_strdup_printf("PRAGMA user_version=%d", wanted);
    int version = 0;

    if (!read_version(database, &version, error))
        return FALSE;
    if (version == 0)
        return execute(database, schema, error) && execute(database, set, error);
    if (version == wanted)
        return TRUE;
    fault_set(error, FAULT_STORE_FAILED, database->path, "install the version that wrote it",
              "the lease database has format %d, this program reads %d", version, wanted);
    return FALSE;
}

static gboolean
prepare_directory(const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);

    if (strcmp(path, ":memory:") == 0 || g_mkdir_with_parents(directory, 0700) == 0)
        return TRUE;
    fault_set(error, FAULT_STORE_FAILED, directory, "create it, owned by root, mode 0700",
              "cannot create the directory: %s", g_strerror(errno));
    return FALSE;
}

/* What a killed process wrote last is in the kernel's memory, where this one sees it; a power cut
 * must not take back what was seen. */
static gboolean
sync_log(Database *database, GError **error)
{
    sqlite3_file *log = NULL;
    sqlite3_int64 size = 0;
    int code =
        sqlite3_file_control(database->connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

    if (code == SQLITE_OK && log && log->pMethods)
        code = log->pMethods->xFileSize(log, &size);
    if (code == SQLITE_OK && size > 0)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (code == SQLITE_OK)
        return TRUE;
    g_autofree char *object = g_strdup_printf("lease database %s", database->path);
    fault_set(error, FAULT_STORE_FAILED, object, "see that its file system is writable",
              "cannot make durable what is in it: %s", sqlite3_errstr(code));
    return FALSE;
}

Database *
database_open(const char *path, const char *schema, int version, GError **error)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;

    if (!prepare_directory(path, error))
        return NULL;
    g_autoptr(Database) database = g_new0(Database, 1);
    database->commit = shared_commit_new(database);
    database->path = g_strdup(path);
    database->statements = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, finalize);
    if (sqlite3_open_v2(path, &database->connection, flags, NULL) != SQLITE_OK) {
        database_failed(database, error);
        return NULL;
    }
    sqlite3_busy_timeout(database->connection, BUSY_MSEC);
    if (!execute(database, "PRAGMA journal_mode=WAL", error) ||
        !execute(database, "PRAGMA synchronous=FULL", error) ||
        !execute(database, "PRAGMA foreign_keys=ON", error) ||
        /* What savepoints keep aside is small, and must not fail for want of a file. */
        !execute(database, "PRAGMA temp_store=MEMORY", error) || !database_begin(database, error))
        return NULL;
    gboolean good = check_version(database, schema, version, error);
    return database_end(database, good, error) && sync_log(database, error)
               ? g_steal_pointer(&database)
               : NULL;
}

void
database_free(Database *database)
{
    if (!database)
        return;
    g_hash_table_unref(database->statements);
    sqlite3_close(database->connection);
    shared_commit_free(database->commit);
    g_free(database->path);
    g_free(database);
}
