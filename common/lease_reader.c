/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns how leases are read from their tables, and how a damaged record is told from others. */
#include "common/lease_reader.h"

#include <string.h>
#include <time.h>

#define ASSET_COLUMNS "lease, kind, key, state, detail"

gint64
lease_clock_usec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

char *
lease_reader_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    /* Unreachable: no column takes NULL, so there is no memory, and GLib ends the process. */
    return g_strdup(text ? text : "");
}

/* NULL if it is not the object that was written: undo must not work from half a record. */
static json_t *
column_object(sqlite3_stmt *statement, int column)
{
    g_autofree char *text = lease_reader_text(statement, column);
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

void
lease_reader_damaged(const LeaseReader *reader, const Lease *lease, GError **error)
{
    g_autofree char *what = g_strdup_printf("the record of lease %s", lease->id);

    database_damaged(reader->database, what, error);
}

/* The row that @statement stands on, without its assets. */
static Lease *
read_row(const LeaseReader *reader, sqlite3_stmt *statement)
{
    Lease *lease = g_new0(Lease, 1);

    lease->generation = (guint64)sqlite3_column_int64(statement, 0);
    lease->id = lease_reader_text(statement, 1);
    lease->kind = lease_reader_text(statement, 2);
    lease->owner = lease_reader_text(statement, 3);
    lease->token = lease_reader_text(statement, 4);
    lease->guest_name = lease_reader_text(statement, 5);
    lease->guest_uuid = lease_reader_text(statement, 6);
    lease->state = lease_reader_text(statement, 7);
    lease->reason = lease_reader_text(statement, 8);
    lease->request = column_object(statement, 9);
    lease->created_usec = sqlite3_column_int64(statement, 10);
    g_autofree char *boot_id = lease_reader_text(statement, 11);
    /* A deadline of an earlier boot has passed, whatever its number says. */
    lease->remaining_usec = strcmp(boot_id, reader->boot_id) == 0
                                ? sqlite3_column_int64(statement, 12) - lease_clock_usec()
                                : 0;
    lease->assets = g_ptr_array_new_with_free_func((GDestroyNotify)lease_asset_free);
    return lease;
}

/* The leases that @statement selects, without their assets. */
static GPtrArray *
read_rows(const LeaseReader *reader, sqlite3_stmt *statement, GError **error)
{
    g_autoptr(GPtrArray) leases = g_ptr_array_new_with_free_func((GDestroyNotify)lease_free);
    int code;

    if (!statement)
        return NULL;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        g_ptr_array_add(leases, read_row(reader, statement));
    if (code != SQLITE_DONE)
        database_failed(reader->database, error);
    database_done(reader->database, statement);
    return code == SQLITE_DONE ? g_steal_pointer(&leases) : NULL;
}

/* The asset that @statement stands on. A lease that has half a one is as one without a request. */
static void
add_asset(Lease *lease, sqlite3_stmt *statement)
{
    g_autofree char *kind = lease_reader_text(statement, 1);
    g_autofree char *key = lease_reader_text(statement, 2);
    g_autofree char *state = lease_reader_text(statement, 3);
    json_t *detail = column_object(statement, 4);

    if (detail)
        g_ptr_array_add(lease->assets, lease_asset_new(kind, key, state, detail));
    else
        g_clear_pointer(&lease->request, json_decref);
}

static guint64
generation_at(const GPtrArray *leases, guint place)
{
    return ((const Lease *)leases->pdata[place])->generation;
}

/* Adds what @statement selects, by generation, to @leases, oldest first. What is of none of them
 * was left by somebody who changed the database by hand. */
static gboolean
read_assets(const LeaseReader *reader, const GPtrArray *leases, sqlite3_stmt *statement,
            GError **error)
{
    guint place = 0;
    int code;

    if (!statement)
        return FALSE;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        guint64 generation = (guint64)sqlite3_column_int64(statement, 0);

        while (place < leases->len && generation_at(leases, place) < generation)
            place++;
        if (place < leases->len && generation_at(leases, place) == generation)
            add_asset(leases->pdata[place], statement);
    }
    if (code != SQLITE_DONE)
        database_failed(reader->database, error);
    database_done(reader->database, statement);
    return code == SQLITE_DONE;
}

Lease *
lease_reader_find(const LeaseReader *reader, sqlite3_stmt *statement, GError **error)
{
    g_autoptr(GPtrArray) leases = read_rows(reader, statement, error);

    if (!leases || leases->len == 0)
        return NULL;
    const Lease *lease = leases->pdata[0];
    sqlite3_stmt *assets = database_prepare(
        reader->database, error, "SELECT " ASSET_COLUMNS " FROM asset WHERE lease=? ORDER BY key",
        "i", (gint64)lease->generation);
    if (!read_assets(reader, leases, assets, error))
        return NULL;
    if (lease->request)
        return g_ptr_array_steal_index(leases, 0);
    lease_reader_damaged(reader, lease, error);
    return NULL;
}

GPtrArray *
lease_reader_list(const LeaseReader *reader, GError **error)
{
    sqlite3_stmt *rows = database_prepare(
        reader->database, error, "SELECT " LEASE_COLUMNS " FROM lease ORDER BY generation", "");
    g_autoptr(GPtrArray) leases = read_rows(reader, rows, error);

    if (!leases)
        return NULL;
    sqlite3_stmt *assets = database_prepare(
        reader->database, error, "SELECT " ASSET_COLUMNS " FROM asset ORDER BY lease, key", "");
    return read_assets(reader, leases, assets, error) ? g_steal_pointer(&leases) : NULL;
}
