/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tables of leases and their assets, and the rules that they keep. */
#include "common/lease_store.h"

#include <string.h>

#include "common/lease_memory.h"
#include "common/lease_reader.h"
#include "common/limits.h"

#define SCHEMA_VERSION 1

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
    Database *database;
    LeaseReader reader;
    LeaseMemory *memory;  /* of lease_store_list() */
    GHashTable *reported; /* ids of leases whose damage was logged; with the database's lock */
};

static char *
read_boot_id(void)
{
    char *boot_id = NULL;

    /* Unreachable: where there is no /proc, nothing here starts. */
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot_id, NULL, NULL))
        return g_strdup("unknown");
    return g_strchomp(boot_id);
}

LeaseStore *
lease_store_open(const char *path, GError **error)
{
    Database *database = database_open(path, schema, SCHEMA_VERSION, error);

    if (!database)
        return NULL;
    LeaseStore *store = g_new0(LeaseStore, 1);

    store->database = database;
    store->reader = (LeaseReader) { database, read_boot_id() };
    store->memory = lease_memory_new();
    store->reported = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return store;
}

void
lease_store_free(LeaseStore *store)
{
    if (!store)
        return;
    database_free(store->database);
    lease_memory_free(store->memory);
    g_free(store->reader.boot_id);
    g_hash_table_unref(store->reported);
    g_free(store);
}

/* Takes the database for a change. */
static gboolean
begin(LeaseStore *store, GError **error)
{
    if (!database_begin(store->database, error))
        return FALSE;
    lease_memory_forget(store->memory);
    return TRUE;
}

static gboolean
insert_asset(LeaseStore *store, guint64 generation, const LeaseAsset *asset, FaultCode busy_code,
             GError **error)
{
    g_autoptr(GError) failure = NULL;
    char *detail = json_dumps(asset->detail, JSON_COMPACT | JSON_SORT_KEYS);
    int code = SQLITE_OK;
    gboolean done = database_run(store->database,
                                 database_prepare(store->database, &failure,
                                                  "INSERT INTO asset VALUES (?, ?, ?, ?, ?)",
                                                  "issss", (gint64)generation, asset->kind,
                                                  asset->key, asset->state, detail),
                                 &code, &failure);
    free(detail);
    if (done)
        return TRUE;
    if (code != SQLITE_CONSTRAINT_PRIMARYKEY) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    g_autofree char *object = g_strdup_printf("%s %s", asset->kind, asset->key);
    g_autoptr(Lease) holder =
        lease_reader_find(&store->reader,
                          database_prepare(store->database, NULL,
                                           "SELECT " LEASE_COLUMNS " FROM lease WHERE generation="
                                           "(SELECT lease FROM asset WHERE kind=? AND key=?)",
                                           "ss", asset->kind, asset->key),
                          NULL);
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
    gint64 deadline_usec = lease_clock_usec() + (gint64)timeout_seconds * G_USEC_PER_SEC;
    gboolean done = database_run(
        store->database,
        database_prepare(
            store->database, error,
            "INSERT INTO lease (id, kind, owner, token, guest_name, guest_uuid, state, request, "
            "created_usec, boot_id, deadline_usec) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            "ssssssssisi", id, draft->kind, draft->owner, draft->token, draft->guest_name,
            draft->guest_uuid, draft->state, request ? request : "{}", g_get_real_time(),
            store->reader.boot_id, deadline_usec),
        NULL, error);

    free(request);
    *ret_generation = (guint64)database_last_row(store->database);
    return done;
}

static Lease *
find_by_token(LeaseStore *store, const Lease *draft, GError **error)
{
    return lease_reader_find(&store->reader,
                             database_prepare(store->database, error,
                                              "SELECT " LEASE_COLUMNS
                                              " FROM lease WHERE kind=? AND owner=? AND token=?",
                                              "sss", draft->kind, draft->owner, draft->token),
                             error);
}

/* Fails when there are too many leases already. */
static gboolean
has_room(LeaseStore *store, GError **error)
{
    sqlite3_stmt *statement =
        database_prepare(store->database, error, "SELECT count(*) FROM lease", "");
    gint64 count = LIMIT_LEASES;

    if (!statement)
        return FALSE;
    if (sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    database_done(store->database, statement);
    if (count < LIMIT_LEASES)
        return TRUE;
    fault_set(error, FAULT_LIMIT_EXCEEDED, "lease database", "release leases; see: migprep status",
              "it holds %d leases already", LIMIT_LEASES);
    return FALSE;
}

/* With the database's lock. */
static Lease *
find_lease(LeaseStore *store, const char *id, guint64 generation, GError **error)
{
    g_autoptr(GError) failure = NULL;

    g_autoptr(Lease) lease = lease_reader_find(
        &store->reader,
        database_prepare(store->database, &failure,
                         "SELECT " LEASE_COLUMNS " FROM lease WHERE id=?", "s", id),
        &failure);
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

/* In a transaction: the new lease. */
static Lease *
insert_draft(LeaseStore *store, const Lease *draft, unsigned timeout_seconds, FaultCode busy_code,
             GError **error)
{
    g_autofree char *id = g_uuid_string_random();
    guint64 generation = 0;

    if (!has_room(store, error) ||
        !insert_lease(store, draft, id, timeout_seconds, &generation, error))
        return NULL;
    for (guint i = 0; draft->assets && i < draft->assets->len; i++)
        if (!insert_asset(store, generation, draft->assets->pdata[i], busy_code, error))
            return NULL;
    return find_lease(store, id, generation, error);
}

/* In a transaction: the existing lease of this owner and token, or a new one. */
static Lease *
create_in_transaction(LeaseStore *store, const Lease *draft, unsigned timeout_seconds,
                      FaultCode busy_code, gboolean *ret_existing, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(Lease) existing = find_by_token(store, draft, &failure);

    *ret_existing = existing != NULL;
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (!existing)
        return insert_draft(store, draft, timeout_seconds, busy_code, error);
    if (json_equal(existing->request, draft->request))
        return g_steal_pointer(&existing);
    fault_set(error, FAULT_LEASE_CONFLICT, existing->id, "use a new token for a new request",
              "owner '%s' made this lease with token '%s' for something else", draft->owner,
              draft->token);
    return NULL;
}

Lease *
lease_store_create(LeaseStore *store, const Lease *draft, unsigned timeout_seconds,
                   FaultCode busy_code, gboolean *ret_existing, GError **error)
{
    gboolean existing = FALSE;

    if (!begin(store, error))
        return NULL;
    g_autoptr(Lease) lease =
        create_in_transaction(store, draft, timeout_seconds, busy_code, &existing, error);
    if (!database_end(store->database, lease != NULL, error))
        return NULL;
    if (ret_existing)
        *ret_existing = existing;
    return g_steal_pointer(&lease);
}

Lease *
lease_store_get(LeaseStore *store, const char *id, guint64 generation, GError **error)
{
    database_lock(store->database);
    Lease *lease = find_lease(store, id, generation, error);
    database_unlock(store->database);
    return lease;
}

static void
report_damage(LeaseStore *store, const Lease *lease)
{
    g_autoptr(GError) failure = NULL;

    lease_reader_damaged(&store->reader, lease, &failure);
    if (g_hash_table_add(store->reported, g_strdup(lease->id)))
        g_warning("lease %s of guest '%s' is left alone, and what it holds stays held: %s",
                  lease->id, lease->guest_name, failure->message);
}

/* With the database's lock. */
static GPtrArray *
list_readable(LeaseStore *store, GError **error)
{
    GPtrArray *leases = lease_reader_list(&store->reader, error);

    for (guint i = leases ? leases->len : 0; i-- > 0;) {
        const Lease *lease = leases->pdata[i];

        if (lease->request)
            continue;
        report_damage(store, lease);
        g_ptr_array_remove_index(leases, i);
    }
    return leases;
}

GPtrArray *
lease_store_list(LeaseStore *store, GError **error)
{
    database_lock(store->database);
    GPtrArray *leases = list_readable(store, error);
    if (leases)
        lease_memory_keep(store->memory, leases);
    database_unlock(store->database);
    return leases;
}

GPtrArray *
lease_store_recall(LeaseStore *store)
{
    return lease_memory_recall(store->memory);
}

/* With the database's lock. */
static GHashTable *
read_held(LeaseStore *store, const char *kind, GError **error)
{
    g_autoptr(GHashTable) held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    sqlite3_stmt *statement = database_prepare(
        store->database, error,
        "SELECT key, id FROM asset JOIN lease ON asset.lease=generation WHERE asset.kind=?", "s",
        kind);
    int code;

    if (!statement)
        return NULL;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        g_hash_table_insert(held, lease_reader_text(statement, 0), lease_reader_text(statement, 1));
    if (code != SQLITE_DONE)
        database_failed(store->database, error);
    database_done(store->database, statement);
    return code == SQLITE_DONE ? g_steal_pointer(&held) : NULL;
}

GHashTable *
lease_store_held(LeaseStore *store, const char *kind, GError **error)
{
    database_lock(store->database);
    GHashTable *held = read_held(store, kind, error);
    database_unlock(store->database);
    return held;
}

/* Takes the database for a change of the lease, which cannot end meanwhile. NULL: nothing is taken.
 */
static Lease *
begin_change(LeaseStore *store, const char *id, guint64 generation, GError **error)
{
    if (!begin(store, error))
        return NULL;
    Lease *lease = find_lease(store, id, generation, error);
    if (!lease)
        database_end(store->database, FALSE, error);
    return lease;
}

/* In a transaction: @statement (consumed) must touch a row of the lease. */
static gboolean
touch(LeaseStore *store, const char *id, sqlite3_stmt *statement, GError **error)
{
    if (!database_run(store->database, statement, NULL, error))
        return FALSE;
    if (database_changes(store->database) > 0)
        return TRUE;
    g_autofree char *object = g_strdup_printf("lease %s", id);
    fault_set(error, FAULT_LEASE_NOT_FOUND, object, "list the leases with: migprep status",
              "no such lease, or it holds no such thing");
    return FALSE;
}

/* The same as the whole of a transaction. */
static gboolean
change_one(LeaseStore *store, const char *id, sqlite3_stmt *statement, GError **error)
{
    return database_end(store->database, touch(store, id, statement, error), error);
}

static sqlite3_stmt *
delete_asset(LeaseStore *store, const Lease *lease, const char *kind, const char *key,
             GError **error)
{
    return database_prepare(store->database, error,
                            "DELETE FROM asset WHERE lease=? AND kind=? AND key=?", "iss",
                            (gint64)lease->generation, kind, key);
}

gboolean
lease_store_renew(LeaseStore *store, const char *id, guint64 generation, unsigned timeout_seconds,
                  GError **error)
{
    g_autoptr(Lease) lease = begin_change(store, id, generation, error);

    if (!lease)
        return FALSE;
    return change_one(
        store, id,
        database_prepare(store->database, error,
                         "UPDATE lease SET boot_id=?, deadline_usec=? WHERE id=?", "sis",
                         store->reader.boot_id,
                         lease_clock_usec() + (gint64)timeout_seconds * G_USEC_PER_SEC, id),
        error);
}

static sqlite3_stmt *
update_state(LeaseStore *store, const char *id, const char *state, const char *reason,
             GError **error)
{
    return database_prepare(store->database, error, "UPDATE lease SET state=?, reason=? WHERE id=?",
                            "sss", state, reason ? reason : "", id);
}

gboolean
lease_store_set_state(LeaseStore *store, const char *id, const char *state, const char *reason,
                      GError **error)
{
    if (!begin(store, error))
        return FALSE;
    return change_one(store, id, update_state(store, id, state, reason, error), error);
}

/* In a transaction. */
static gboolean
put_asset(LeaseStore *store, const Lease *lease, const LeaseAsset *asset, FaultCode busy_code,
          GError **error)
{
    return database_run(store->database, delete_asset(store, lease, asset->kind, asset->key, error),
                        NULL, error) &&
           insert_asset(store, lease->generation, asset, busy_code, error);
}

/* In a transaction. */
static gboolean
put_all(LeaseStore *store, const Lease *lease, const GPtrArray *assets, FaultCode busy_code,
        GError **error)
{
    gboolean good = TRUE;

    for (guint i = 0; i < assets->len && good; i++)
        good = put_asset(store, lease, assets->pdata[i], busy_code, error);
    return good;
}

gboolean
lease_store_put_assets(LeaseStore *store, const char *id, const GPtrArray *assets,
                       FaultCode busy_code, GError **error)
{
    g_autoptr(Lease) lease = begin_change(store, id, 0, error);

    if (!lease)
        return FALSE;
    return database_end(store->database, put_all(store, lease, assets, busy_code, error), error);
}

/* In a transaction. */
static gboolean
begin_term(LeaseStore *store, const Lease *lease, const char *state, GError **error)
{
    sqlite3_stmt *statement = database_prepare(
        store->database, error,
        "UPDATE lease SET state=?, reason='', boot_id=?, deadline_usec=? WHERE id=?", "ssis", state,
        store->reader.boot_id, lease_clock_usec() + lease->remaining_usec, lease->id);

    return touch(store, lease->id, statement, error);
}

gboolean
lease_store_settle(LeaseStore *store, const Lease *lease, const char *state, FaultCode busy_code,
                   GError **error)
{
    g_autoptr(Lease) found = begin_change(store, lease->id, 0, error);

    if (!found)
        return FALSE;
    gboolean good = put_all(store, found, lease->assets, busy_code, error) &&
                    begin_term(store, lease, state, error);
    return database_end(store->database, good, error);
}

gboolean
lease_store_put_asset(LeaseStore *store, const char *id, const LeaseAsset *asset,
                      FaultCode busy_code, GError **error)
{
    void *one[] = { (void *)asset };
    const GPtrArray assets = { .pdata = one, .len = 1 };

    return lease_store_put_assets(store, id, &assets, busy_code, error);
}

gboolean
lease_store_drop_asset(LeaseStore *store, const char *id, const char *kind, const char *key,
                       GError **error)
{
    g_autoptr(Lease) lease = begin_change(store, id, 0, error);

    if (!lease)
        return FALSE;
    return change_one(store, id, delete_asset(store, lease, kind, key, error), error);
}

gboolean
lease_store_replace_asset(LeaseStore *store, const char *id, const LeaseAsset *old,
                          const LeaseAsset *successor, FaultCode busy_code, GError **error)
{
    g_autoptr(Lease) lease = begin_change(store, id, 0, error);

    if (!lease)
        return FALSE;
    gboolean good =
        touch(store, id, delete_asset(store, lease, old->kind, old->key, error), error) &&
        insert_asset(store, lease->generation, successor, busy_code, error);
    return database_end(store->database, good, error);
}

gboolean
lease_store_remove(LeaseStore *store, const char *id, GError **error)
{
    if (!begin(store, error))
        return FALSE;
    return change_one(
        store, id,
        database_prepare(store->database, error, "DELETE FROM lease WHERE id=?", "s", id), error);
}
