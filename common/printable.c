/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/printable.h"

#include <string.h>

#define LINE_BYTES_MAX 512

/* Also what turns the direction of writing, or has no width: it makes words look like others. */
static gboolean
is_invisible(gunichar character)
{
    switch ((int)g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return TRUE;
    default: /* GLib's enumeration, which grows */
        return FALSE;
    }
}

char *
printable_line(const char *text, gsize bytes_max)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, bytes_max));
    g_autoptr(GString) line = g_string_new(NULL);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);

        g_string_append_unichar(line, is_invisible(character) ? ' ' : character);
    }
    return g_strdup(g_strstrip(line->str));
}

char **
printable_lines(const char *text, gsize bytes_max, guint lines_max)
{
    g_autofree char *head = g_strndup(text, strnlen(text, bytes_max));
    g_auto(GStrv) raw = g_strsplit(head, "\n", -1);
    g_autoptr(GPtrArray) lines = g_ptr_array_new();
    gboolean cut = strnlen(text, bytes_max + 1) > bytes_max;

    for (char **at = raw; *at; at++) {
        g_autofree char *line = printable_line(*at, LINE_BYTES_MAX);

        if (!*line)
            continue;
        cut = cut || lines->len == lines_max;
        if (lines->len == lines_max)
            break;
        g_ptr_array_add(lines, g_steal_pointer(&line));
    }
    if (cut)
        g_ptr_array_add(lines, g_strdup("..."));
    g_ptr_array_add(lines, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&lines), FALSE);
}
