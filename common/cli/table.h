/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aligned columns of text. */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct Table Table;

/* @titles is NULL-terminated and decides how many columns there are. */
Table *table_new(const char *const *titles);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* As many cells as there are titles; NULL and "" show as "-". Copied. */
void table_add(Table *table, const char *const *cells);
/* Shows the first cell of the last row in @colour, an escape sequence; static. */
void table_paint(Table *table, const char *colour);
gboolean table_is_empty(const Table *table);
/* Two spaces before each line and between the columns. */
void table_print(const Table *table, FILE *stream);
