/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/number_set.h"

static gboolean
read_number(const char **text, guint64 *ret_number)
{
    char *end;

    if (!g_ascii_isdigit(**text))
        return FALSE;
    *ret_number = g_ascii_strtoull(*text, &end, 10);
    *text = end;
    return *ret_number <= NUMBER_SET_MAX;
}

/* "3" or "0-3" */
static gboolean
read_range(const char **text, guint64 *ret_first, guint64 *ret_last)
{
    if (!read_number(text, ret_first))
        return FALSE;
    *ret_last = *ret_first;
    if (**text != '-')
        return TRUE;
    (*text)++;
    return read_number(text, ret_last) && *ret_last >= *ret_first;
}

/* The next range of a set, and what separates it from the one after it. FALSE if there is none. */
static gboolean
take_range(const char **text, guint64 *ret_first, guint64 *ret_last)
{
    if (!read_range(text, ret_first, ret_last))
        return FALSE;
    return !**text || (*(*text)++ == ',' && **text);
}

gboolean
number_set_find_missing(const char *text, GHashTable *available, int *ret_missing)
{
    guint64 first, last;
    int missing = -1;

    do {
        if (!take_range(&text, &first, &last))
            return FALSE;
        for (guint64 number = first; number <= last && missing < 0; number++) {
            if (!g_hash_table_contains(available, GUINT_TO_POINTER((guint)number)))
                missing = (int)number;
        }
    } while (*text);
    *ret_missing = missing;
    return TRUE;
}

gboolean
number_set_contains(const char *text, unsigned number)
{
    guint64 first, last;

    do {
        if (!take_range(&text, &first, &last))
            return FALSE;
        if (number >= first && number <= last)
            return TRUE;
    } while (*text);
    return FALSE;
}
