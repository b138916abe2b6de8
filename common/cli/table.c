/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the widths of columns. */
#include "common/cli/table.h"

struct Table {
    guint columns;
    GPtrArray *cells; /* of char *, row by row, titles first */
    glong *widths;
    GPtrArray *colours; /* of const char *, one a row; NULL: none */
};

Table *
table_new(const char *const *titles)
{
    Table *table = g_new0(Table, 1);

    table->columns = g_strv_length((char **)titles);
    table->cells = g_ptr_array_new_with_free_func(g_free);
    table->colours = g_ptr_array_new();
    table->widths = g_new0(glong, table->columns);
    table_add(table, titles);
    return table;
}

void
table_free(Table *table)
{
    if (!table)
        return;
    g_ptr_array_unref(table->cells);
    g_ptr_array_unref(table->colours);
    g_free(table->widths);
    g_free(table);
}

void
table_add(Table *table, const char *const *cells)
{
    for (guint i = 0; i < table->columns; i++) {
        char *cell = g_utf8_make_valid(cells[i] && *cells[i] ? cells[i] : "-", -1);
        table->widths[i] = MAX(table->widths[i], g_utf8_strlen(cell, -1));
        g_ptr_array_add(table->cells, cell);
    }
    g_ptr_array_add(table->colours, NULL);
}

void
table_paint(Table *table, const char *colour)
{
    table->colours->pdata[table->colours->len - 1] = (void *)colour;
}

gboolean
table_is_empty(const Table *table)
{
    return table->cells->len <= table->columns;
}

void
table_print(const Table *table, FILE *stream)
{
    for (guint i = 0; i < table->cells->len; i++) {
        const char *cell = g_ptr_array_index(table->cells, i);
        guint column = i % table->columns;
        gboolean last = column + 1 == table->columns;
        int padding = last ? 0 : (int)(table->widths[column] - g_utf8_strlen(cell, -1));
        const char *colour = column == 0 ? table->colours->pdata[i / table->columns] : NULL;
        fprintf(stream, "  %s%s%s%*s%s", colour ? colour : "", cell, colour ? "\033[0m" : "",
                padding, "", last ? "\n" : "");
    }
}
