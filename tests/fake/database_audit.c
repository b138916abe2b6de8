/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/database_audit.h"

#include <sqlite3.h>

struct DatabaseAudit {
    GPtrArray *assets; /* of DatabaseAsset * */
    unsigned leases;
    GString *details;
};

static void
asset_free(void *data)
{
    DatabaseAsset *asset = data;

    g_free(asset->kind);
    g_free(asset->key);
    g_free(asset->state);
    g_free(asset->lease);
    g_free(asset->lease_state);
    g_free(asset);
}

/* The first column of the first row as text; owned. */
static char *
ask(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    g_assert_cmpint(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
    char *answer = g_strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return answer;
}

static void
assert_answer(sqlite3 *database, const char *sql, const char *expected)
{
    g_autofree char *answer = ask(database, sql);

    g_assert_cmpstr(answer, ==, expected);
}

static char *
read_text(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

static void
read_assets(DatabaseAudit *audit, sqlite3 *database)
{
    static const char sql[] = "SELECT asset.kind, key, asset.state, id, lease.state, asset.detail "
                              "FROM asset JOIN lease ON asset.lease=generation";
    sqlite3_stmt *statement = NULL;

    g_assert_cmpint(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), ==, SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        DatabaseAsset *asset = g_new0(DatabaseAsset, 1);

        asset->kind = read_text(statement, 0);
        asset->key = read_text(statement, 1);
        asset->state = read_text(statement, 2);
        asset->lease = read_text(statement, 3);
        asset->lease_state = read_text(statement, 4);
        g_ptr_array_add(audit->assets, asset);
        g_string_append_printf(audit->details, "%s\n", sqlite3_column_text(statement, 5));
    }
    sqlite3_finalize(statement);
}

DatabaseAudit *
database_audit_new(const char *path)
{
    DatabaseAudit *audit = g_new0(DatabaseAudit, 1);
    sqlite3 *database = NULL;

    audit->assets = g_ptr_array_new_with_free_func(asset_free);
    audit->details = g_string_new(NULL);
    g_assert_cmpint(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    assert_answer(database, "PRAGMA integrity_check", "ok");
    assert_answer(database,
                  "SELECT count(*) FROM asset WHERE lease NOT IN (SELECT generation FROM lease)",
                  "0");
    assert_answer(database, "SELECT count(*) - count(DISTINCT kind || ' ' || key) FROM asset", "0");
    g_autofree char *leases = ask(database, "SELECT count(*) FROM lease");
    audit->leases = (unsigned)g_ascii_strtoull(leases, NULL, 10);
    read_assets(audit, database);
    sqlite3_close(database);
    return audit;
}

void
database_audit_free(DatabaseAudit *audit)
{
    g_ptr_array_unref(audit->assets);
    g_string_free(audit->details, TRUE);
    g_free(audit);
}

unsigned
database_audit_leases(const DatabaseAudit *audit)
{
    return audit->leases;
}

const char *
database_audit_holder(const DatabaseAudit *audit, const char *key)
{
    for (guint i = 0; i < audit->assets->len; i++) {
        const DatabaseAsset *asset = audit->assets->pdata[i];

        if (g_str_has_prefix(asset->key, key))
            return asset->lease;
    }
    return "";
}

void
database_audit_each(const DatabaseAudit *audit,
                    void (*look)(const DatabaseAsset *asset, void *data), void *data)
{
    for (guint i = 0; i < audit->assets->len; i++)
        look(audit->assets->pdata[i], data);
}

const char *
database_audit_details(const DatabaseAudit *audit)
{
    return audit->details->str;
}
