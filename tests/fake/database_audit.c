/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/database_audit.h"

#include <sqlite3.h>

typedef struct {
    char *key;
    char *lease;
} Holding;

struct DatabaseAudit {
    GPtrArray *holdings; /* of Holding * */
    unsigned leases;
    GString *details;
};

static void
holding_free(void *data)
{
    Holding *holding = data;

    g_free(holding->key);
    g_free(holding->lease);
    g_free(holding);
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

static void
read_holdings(DatabaseAudit *audit, sqlite3 *database)
{
    static const char sql[] =
        "SELECT key, id, asset.detail FROM asset JOIN lease ON asset.lease=generation";
    sqlite3_stmt *statement = NULL;

    g_assert_cmpint(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), ==, SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        Holding *holding = g_new0(Holding, 1);

        holding->key = g_strdup((const char *)sqlite3_column_text(statement, 0));
        holding->lease = g_strdup((const char *)sqlite3_column_text(statement, 1));
        g_ptr_array_add(audit->holdings, holding);
        g_string_append_printf(audit->details, "%s\n", sqlite3_column_text(statement, 2));
    }
    sqlite3_finalize(statement);
}

DatabaseAudit *
database_audit_new(const char *path)
{
    DatabaseAudit *audit = g_new0(DatabaseAudit, 1);
    sqlite3 *database = NULL;

    audit->holdings = g_ptr_array_new_with_free_func(holding_free);
    audit->details = g_string_new(NULL);
    g_assert_cmpint(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
    assert_answer(database, "PRAGMA integrity_check", "ok");
    assert_answer(database,
                  "SELECT count(*) FROM asset WHERE lease NOT IN (SELECT generation FROM lease)",
                  "0");
    assert_answer(database, "SELECT count(*) - count(DISTINCT kind || ' ' || key) FROM asset", "0");
    g_autofree char *leases = ask(database, "SELECT count(*) FROM lease");
    audit->leases = (unsigned)g_ascii_strtoull(leases, NULL, 10);
    read_holdings(audit, database);
    sqlite3_close(database);
    return audit;
}

void
database_audit_free(DatabaseAudit *audit)
{
    g_ptr_array_unref(audit->holdings);
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
    for (guint i = 0; i < audit->holdings->len; i++) {
        const Holding *holding = audit->holdings->pdata[i];

        if (g_str_has_prefix(holding->key, key))
            return holding->lease;
    }
    return "";
}

const char *
database_audit_details(const DatabaseAudit *audit)
{
    return audit->details->str;
}
