/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/lease_store.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"

#define SCHEMA_VERSION 1
#define BUSY_MSEC      5000

static const char schema[] =
    "CREATE TABLE lease ("
    "  generation INTEGER PRIMARY KEY AUTOINCREMENT," /* AUTOINCREMENT: never used again */
    "  id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, owner TEXT NOT NULL, token TEXT NOT NULL,"
    "  guest_name TEXT NOT NULL, guest_uuid TEXT NOT NULL, state TEXT NOT NULL,"
    "  reason TEXT NOT NULL DEFAULT '', request TEXT NOT NULL,"
    "  created_usec INTEGER NOT NULL, boot_id TEXT NOT NULL, deadline_usec INTEGER NOT NULL,"
    "  UNIQUE (kind, owner, token));"
    "CREATE TABLE asset ("
    "  lease INTEGER NOT NULL REFERENCES lease (generation) ON DELETE CASCADE,"
    "  kind TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,"
    "  PRIMARY KEY (kind, key)) WITHOUT ROWID;"
    "CREATE INDEX asset_of_lease ON asset (lease);";

struct LeaseStore {
    GMutex lock; /* one connection, one transaction at a time */
    sqlite3 *database;
    char *path;
    char *boot_id;
};

static gint64
boot_time_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gboolean
store_failed(LeaseStore *store, GError **error)
{
    g_autofree char *object = g_strdup_printf("lease database %s", store->path);
    int code = sqlite3_errcode(store->database);

    fault_set(error, FAULT_STORE_FAILED, object,
              code == SQLITE_CORRUPT || code == SQLITE_NOTADB
                  ? "stop the daemon, keep a copy of the file, and move it away"
                  : "see that its file system is writable and has space",
              "%s", sqlite3_errmsg(store->database));
    return FALSE;
}

static gboolean
execute(LeaseStore *store, const char *sql, GError **error)
{
    return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
           store_failed(store, error);
}

/* Prepares @sql and binds @values ("s" text, "i" gint64, by @types). NULL with @error. */
static sqlite3_stmt *
prepare(LeaseStore *store, GError **error, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list values;

    if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        store_failed(store, error);
        return NULL;
    }
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

/* Runs a statement that returns no rows. *ret_code is SQLite's extended code when it failed. */
static gboolean
finish(LeaseStore *store, sqlite3_stmt *statement, int *ret_code, GError **error)
{
    if (!statement)
        return FALSE;
    int code = sqlite3_step(statement);
    gboolean done = code == SQLITE_DONE;
    if (ret_code)
        *ret_code = done ? SQLITE_OK : sqlite3_extended_errcode(store->database);
    if (!done)
        store_failed(store, error);
    sqlite3_finalize(statement);
    return done;
}

/* Takes the store for one transaction. */
static gboolean
begin(LeaseStore *store, GError **error)
{
    g_mutex_lock(&store->lock);
    if (execute(store, "BEGIN IMMEDIATE", error))
        return TRUE;
    g_mutex_unlock(&store->lock);
    return FALSE;
}

/* Commits if @good, else rolls back; gives the store back. */
static gboolean
end(LeaseStore *store, gboolean good, GError **error)
{
    gboolean committed = good && execute(store, "COMMIT", error);

    if (!committed)
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    g_mutex_unlock(&store->lock);
    return committed;
}

static gboolean
prepare_schema(LeaseStore *store, GError **error)
{
    if (!execute(store, "PRAGMA journal_mode=WAL", error) ||
        !execute(store, "PRAGMA synchronous=FULL", error) ||
        !execute(store, "PRAGMA foreign_keys=ON", error) || !begin(store, error))
        return FALSE;
    sqlite3_stmt *statement = prepare(store, error, "PRAGMA user_version", "");
    int version = -1;
    if (statement && sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    else
        store_failed(store, error);
    sqlite3_finalize(statement);

    gboolean good = version == SCHEMA_VERSION;
    if (version == 0)
        good = execute(store, schema, error) &&
               execute(store, "PRAGMA user_version=" G_STRINGIFY(SCHEMA_VERSION), error);
    else if (version > 0 && !good)
        fault_set(error, FAULT_STORE_FAILED, store->path, "install the version that wrote it",
                  "the lease database has format %d, this program reads %d", version,
                  SCHEMA_VERSION);
    return end(store, good, error);
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

LeaseStore *
lease_store_open(const char *path, GError **error)
{
    if (!prepare_directory(path, error))
        return NULL;
    g_autoptr(LeaseStore) store = g_new0(LeaseStore, 1);
    g_mutex_init(&store->lock);
    store->path = g_strdup(path);
    if (g_file_get_contents("/proc/sys/kernel/random/boot_id", &store->boot_id, NULL, NULL))
        g_strchomp(store->boot_id);
    else
        store->boot_id = g_strdup("unknown");

    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    if (sqlite3_open_v2(path, &store->database, flags, NULL) != SQLITE_OK) {
        store_failed(store, error);
        return NULL;
    }
    sqlite3_busy_timeout(store->database, BUSY_MSEC);
    if (!prepare_schema(store, error))
        return NULL;
    return g_steal_pointer(&store);
}

void
lease_store_free(LeaseStore *store)
{
    if (!store)
        return;
    sqlite3_close(store->database);
    g_mutex_clear(&store->lock);
    g_free(store->path);
    g_free(store->boot_id);
    g_free(store);
}

#define LEASE_COLUMNS                                                                              \
    "generation, id, kind, owner, token, guest_name, guest_uuid, state, reason, request, "         \
    "created_usec, boot_id, deadline_usec"

static char *
column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return g_strdup(text ? text : "");
}

static json_t *
column_object(sqlite3_stmt *statement, int column)
{
    json_t *object = json_loads((const char *)sqlite3_column_text(statement, column), 0, NULL);
    return object ? object : json_object();
}

/* The row that @statement stands on, without its assets. */
static Lease *
read_row(LeaseStore *store, sqlite3_stmt *statement)
{
    Lease *lease = g_new0(Lease, 1);

    lease->generation = (guint64)sqlite3_column_int64(statement, 0);
    lease->id = column_text(statement, 1);
    lease->kind = column_text(statement, 2);
    lease->owner = column_text(statement, 3);
    lease->token = column_text(statement, 4);
    lease->guest_name = column_text(statement, 5);
    lease->guest_uuid = column_text(statement, 6);
    lease->state = column_text(statement, 7);
    lease->reason = column_text(statement, 8);
    lease->request = column_object(statement, 9);
    lease->created_usec = sqlite3_column_int64(statement, 10);
    g_autofree char *boot_id = column_text(statement, 11);
    /* A deadline of an earlier boot has passed, whatever its number says. */
    lease->remaining_usec = strcmp(boot_id, store->boot_id) == 0
                                ? sqlite3_column_int64(statement, 12) - boot_time_usec()
                                : 0;
    lease->assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    return lease;
}

static gboolean
read_assets(LeaseStore *store, Lease *lease, GError **error)
{
    sqlite3_stmt *statement = prepare(
        store, error, "SELECT kind, key, state, detail FROM asset WHERE lease=? ORDER BY key", "i",
        (gint64)lease->generation);
    int code;

    if (!statement)
        return FALSE;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        g_autofree char *kind = column_text(statement, 0);
        g_autofree char *key = column_text(statement, 1);
        g_autofree char *state = column_text(statement, 2);
        g_ptr_array_add(lease->assets,
                        lease_asset_new(kind, key, state, column_object(statement, 3)));
    }
    if (code != SQLITE_DONE)
        store_failed(store, error);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE;
}

/* All leases that @statement (finalised here) selects; NULL with @error. */
static GPtrArray *
read_leases(LeaseStore *store, sqlite3_stmt *statement, GError **error)
{
    g_autoptr(GPtrArray) leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    int code;

    if (!statement)
        return NULL;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        g_ptr_array_add(leases, read_row(store, statement));
    if (code != SQLITE_DONE)
        store_failed(store, error);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return NULL;
    for (guint i = 0; i < leases->len; i++)
        if (!read_assets(store, leases->pdata[i], error))
            return NULL;
    return g_steal_pointer(&leases);
}

/* The only or first lease of @leases (consumed), or NULL. */
static Lease *
take_first(GPtrArray *leases)
{
    Lease *lease = leases && leases->len > 0 ? g_ptr_array_steal_index(leases, 0) : NULL;

    if (leases)
        g_ptr_array_unref(leases);
    return lease;
}

static gboolean
insert_asset(LeaseStore *store, guint64 generation, const LeaseAsset *asset, FaultCode busy_code,
             GError **error)
{
    g_autoptr(GError) failure = NULL;
    char *detail = json_dumps(asset->detail, JSON_COMPACT | JSON_SORT_KEYS);
    int code = SQLITE_OK;
    gboolean done =
        finish(store,
               prepare(store, &failure, "INSERT INTO asset VALUES (?, ?, ?, ?, ?)", "issss",
                       (gint64)generation, asset->kind, asset->key, asset->state, detail),
               &code, &failure);
    free(detail);
    if (done)
        return TRUE;
    if (code != SQLITE_CONSTRAINT_PRIMARYKEY && code != SQLITE_CONSTRAINT_UNIQUE) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    g_autofree char *object = g_strdup_printf("%s %s", asset->kind, asset->key);
    g_autoptr(Lease) holder =
        take_first(read_leases(store,
                               prepare(store, NULL,
                                       "SELECT " LEASE_COLUMNS " FROM lease WHERE generation="
                                       "(SELECT lease FROM asset WHERE kind=? AND key=?)",
                                       "ss", asset->kind, asset->key),
                               NULL));
    fault_set(error, busy_code, object, "wait for that lease to end, or release it",
              "held by lease %s of %s for guest '%s'", holder ? holder->id : "?",
              holder ? holder->owner : "?", holder ? holder->guest_name : "?");
    return FALSE;
}

static gboolean
insert_lease(LeaseStore *store, const Lease *draft, const char *id, unsigned timeout_seconds,
             guint64 *ret_generation, GError **error)
{
    char *request = json_dumps(draft->request, JSON_COMPACT | JSON_SORT_KEYS);
    gint64 deadline_usec = boot_time_usec() + (gint64)timeout_seconds * G_USEC_PER_SEC;
    gboolean done = finish(
        store,
        prepare(
            store, error,
            "INSERT INTO lease (id, kind, owner, token, guest_name, guest_uuid, state, request, "
            "created_usec, boot_id, deadline_usec) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            "ssssssssisi", id, draft->kind, draft->owner, draft->token, draft->guest_name,
            draft->guest_uuid, draft->state, request ? request : "{}", g_get_real_time(),
            store->boot_id, deadline_usec),
        NULL, error);

    free(request);
    *ret_generation = (guint64)sqlite3_last_insert_rowid(store->database);
    return done;
}

static Lease *
find_by_token(LeaseStore *store, const Lease *draft, GError **error)
{
    return take_first(read_leases(store,
                                  prepare(store, error,
                                          "SELECT " LEASE_COLUMNS
                                          " FROM lease WHERE kind=? AND owner=? AND token=?",
                                          "sss", draft->kind, draft->owner, draft->token),
                                  error));
}

/* Fails when there are too many leases already. */
static gboolean
has_room(LeaseStore *store, GError **error)
{
    sqlite3_stmt *statement = prepare(store, error, "SELECT count(*) FROM lease", "");
    gint64 count = LIMIT_LEASES;

    if (!statement)
        return FALSE;
    if (sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (count < LIMIT_LEASES)
        return TRUE;
    fault_set(error, FAULT_LIMIT_EXCEEDED, "lease database", "release leases; see: migprep status",
              "it holds %d leases already", LIMIT_LEASES);
    return FALSE;
}

/* In a transaction: the existing lease of this owner and token, or a new one. */
static gboolean
create_in_transaction(LeaseStore *store, const Lease *draft, unsigned timeout_seconds,
                      FaultCode busy_code, Lease **ret_existing, char **ret_id, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(Lease) existing = find_by_token(store, draft, &failure);
    guint64 generation = 0;

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (existing && !json_equal(existing->request, draft->request)) {
        fault_set(error, FAULT_LEASE_CONFLICT, existing->id, "use a new token for a new request",
                  "owner '%s' made this lease with token '%s' for something else", draft->owner,
                  draft->token);
        return FALSE;
    }
    if (existing) {
        *ret_existing = g_steal_pointer(&existing);
        return TRUE;
    }
    g_autofree char *id = g_uuid_string_random();
    if (!has_room(store, error) ||
        !insert_lease(store, draft, id, timeout_seconds, &generation, error))
        return FALSE;
    for (guint i = 0; draft->assets && i < draft->assets->len; i++)
        if (!insert_asset(store, generation, draft->assets->pdata[i], busy_code, error))
            return FALSE;
    *ret_id = g_steal_pointer(&id);
    return TRUE;
}

Lease *
lease_store_create(LeaseStore *store, const Lease *draft, unsigned timeout_seconds,
                   FaultCode busy_code, gboolean *ret_existing, GError **error)
{
    g_autoptr(Lease) existing = NULL;
    g_autofree char *id = NULL;

    if (!begin(store, error))
        return NULL;
    gboolean good =
        create_in_transaction(store, draft, timeout_seconds, busy_code, &existing, &id, error);
    if (!end(store, good, error))
        return NULL;
    if (ret_existing)
        *ret_existing = existing != NULL;
    return existing ? g_steal_pointer(&existing) : lease_store_get(store, id, 0, error);
}

Lease *
lease_store_get(LeaseStore *store, const char *id, guint64 generation, GError **error)
{
    g_autoptr(GError) failure = NULL;

    g_mutex_lock(&store->lock);
    g_autoptr(Lease) lease = take_first(read_leases(
        store, prepare(store, &failure, "SELECT " LEASE_COLUMNS " FROM lease WHERE id=?", "s", id),
        &failure));
    g_mutex_unlock(&store->lock);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    g_autofree char *object = g_strdup_printf("lease %s", id);
    if (!lease) {
        fault_set(error, FAULT_LEASE_NOT_FOUND, object, "list the leases with: migprep status",
                  "no such lease; it may have ended");
        return NULL;
    }
    if (generation != 0 && generation != lease->generation) {
        fault_set(error, FAULT_STALE_GENERATION, object, "list the leases with: migprep status",
                  "it has generation %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT,
                  lease->generation, generation);
        return NULL;
    }
    return g_steal_pointer(&lease);
}

GPtrArray *
lease_store_list(LeaseStore *store, GError **error)
{
    g_mutex_lock(&store->lock);
    GPtrArray *leases = read_leases(
        store, prepare(store, error, "SELECT " LEASE_COLUMNS " FROM lease ORDER BY generation", ""),
        error);
    g_mutex_unlock(&store->lock);
    return leases;
}

/* Ends a change of one lease: @statement (consumed) must have touched one row. */
static gboolean
change_one(LeaseStore *store, const char *id, sqlite3_stmt *statement, GError **error)
{
    gboolean good = finish(store, statement, NULL, error);

    if (good && sqlite3_changes(store->database) == 0) {
        g_autofree char *object = g_strdup_printf("lease %s", id);
        fault_set(error, FAULT_LEASE_NOT_FOUND, object, "list the leases with: migprep status",
                  "no such lease, or it holds no such thing");
        good = FALSE;
    }
    return end(store, good, error);
}

gboolean
lease_store_renew(LeaseStore *store, const char *id, guint64 generation, unsigned timeout_seconds,
                  GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(store, id, generation, error);

    if (!lease || !begin(store, error))
        return FALSE;
    return change_one(
        store, id,
        prepare(store, error, "UPDATE lease SET boot_id=?, deadline_usec=? WHERE id=?", "sis",
                store->boot_id, boot_time_usec() + (gint64)timeout_seconds * G_USEC_PER_SEC, id),
        error);
}

gboolean
lease_store_set_state(LeaseStore *store, const char *id, const char *state, const char *reason,
                      GError **error)
{
    if (!begin(store, error))
        return FALSE;
    return change_one(store, id,
                      prepare(store, error, "UPDATE lease SET state=?, reason=? WHERE id=?", "sss",
                              state, reason ? reason : "", id),
                      error);
}

gboolean
lease_store_put_asset(LeaseStore *store, const char *id, const LeaseAsset *asset,
                      FaultCode busy_code, GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(store, id, 0, error);

    if (!lease || !begin(store, error))
        return FALSE;
    gboolean good =
        finish(store,
               prepare(store, error, "DELETE FROM asset WHERE lease=? AND kind=? AND key=?", "iss",
                       (gint64)lease->generation, asset->kind, asset->key),
               NULL, error) &&
        insert_asset(store, lease->generation, asset, busy_code, error);
    return end(store, good, error);
}

gboolean
lease_store_drop_asset(LeaseStore *store, const char *id, const char *kind, const char *key,
                       GError **error)
{
    g_autoptr(Lease) lease = lease_store_get(store, id, 0, error);

    if (!lease || !begin(store, error))
        return FALSE;
    return change_one(store, id,
                      prepare(store, error, "DELETE FROM asset WHERE lease=? AND kind=? AND key=?",
                              "iss", (gint64)lease->generation, kind, key),
                      error);
}

gboolean
lease_store_remove(LeaseStore *store, const char *id, GError **error)
{
    if (!begin(store, error))
        return FALSE;
    return change_one(store, id, prepare(store, error, "DELETE FROM lease WHERE id=?", "s", id),
                      error);
}
