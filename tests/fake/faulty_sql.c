/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/faulty_sql.h"

#include <sqlite3.h>

int __real_sqlite3_prepare_v3(sqlite3 *database, const char *sql, int bytes, unsigned flags,
                              sqlite3_stmt **ret, const char **ret_tail);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_exec(sqlite3 *database, const char *sql,
                        int (*row)(void *, int, char **, char **), void *data, char **ret_error);
int __wrap_sqlite3_prepare_v3(sqlite3 *database, const char *sql, int bytes, unsigned flags,
                              sqlite3_stmt **ret, const char **ret_tail);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_exec(sqlite3 *database, const char *sql,
                        int (*row)(void *, int, char **, char **), void *data, char **ret_error);

/* Calls until the one that fails and 1; 1 and less: it was there, or none is to come. */
static gint left;

void
faulty_sql_arm(unsigned number)
{
    g_atomic_int_set(&left, number > 0 ? (gint)number + 1 : G_MININT / 2);
}

gboolean
faulty_sql_has_struck(void)
{
    gint now = g_atomic_int_get(&left);

    return now <= 1 && now > G_MININT / 4;
}

static gboolean
strikes(void)
{
    return g_atomic_int_add(&left, -1) == 2;
}

int
__wrap_sqlite3_prepare_v3(sqlite3 *database, const char *sql, int bytes, unsigned flags,
                          sqlite3_stmt **ret, const char **ret_tail)
{
    if (!strikes())
        return __real_sqlite3_prepare_v3(database, sql, bytes, flags, ret, ret_tail);
    *ret = NULL;
    return SQLITE_IOERR;
}

int
__wrap_sqlite3_step(sqlite3_stmt *statement)
{
    return strikes() ? SQLITE_IOERR : __real_sqlite3_step(statement);
}

int
__wrap_sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **),
                    void *data, char **ret_error)
{
    return strikes() ? SQLITE_IOERR : __real_sqlite3_exec(database, sql, row, data, ret_error);
}
