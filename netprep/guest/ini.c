/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads sections and settings. */
#include "netprep/guest/ini.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 8192

static char *
trim(char *text)
{
    text += strspn(text, " \t\r");
    for (size_t length = strlen(text); length && strchr(" \t\r", text[length - 1]); length--)
        text[length - 1] = '\0';
    return text;
}

/* A line that ends with a backslash goes on in the next one. */
static void
join_lines(char *text)
{
    for (char *at = text; (at = strstr(at, "\\\n")); at += 2)
        at[0] = at[1] = ' ';
}

static void
add(Ini *ini, const char *section, const char *key, const char *value)
{
    if (ini->count == ENTRIES_MAX)
        return;
    IniEntry *grown = realloc(ini->entries, (ini->count + 1) * sizeof(*grown));
    if (!grown)
        return;
    ini->entries = grown;
    ini->entries[ini->count++] = (IniEntry) { .section = section, .key = key, .value = value };
}

/* Returns the section that the next line is in. */
static const char *
parse_line(Ini *ini, char *line, const char *section)
{
    char *end = line[0] == '[' ? strrchr(line, ']') : NULL;
    char *equals = strchr(line, '=');

    if (end) {
        *end = '\0';
        add(ini, line + 1, NULL, NULL);
        return line + 1;
    }
    if (section && equals && line[0] != '#' && line[0] != ';') {
        *equals = '\0';
        add(ini, section, trim(line), trim(equals + 1));
    }
    return section;
}

Ini
ini_parse(char *text)
{
    Ini ini = { .text = text };
    const char *section = NULL;
    char *rest = NULL;

    if (!text)
        return ini;
    join_lines(text);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        section = parse_line(&ini, trim(line), section);
    return ini;
}

void
ini_clear(Ini *ini)
{
    free(ini->entries);
    free(ini->text);
    *ini = (Ini) { 0 };
}

const char *
ini_get(const Ini *ini, const char *section, const char *key)
{
    for (size_t i = ini->count; i-- > 0;) {
        const IniEntry *entry = &ini->entries[i];

        if (entry->key && strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    return NULL;
}

static bool
is_named(const char *section, const char *const *named)
{
    for (; *named; named++) {
        if (strcmp(section, *named) == 0)
            return true;
    }
    return false;
}

void
ini_write(const Ini *ini, FILE *out, const char *const *named, bool others)
{
    for (size_t i = 0; i < ini->count; i++) {
        const IniEntry *entry = &ini->entries[i];

        if (is_named(entry->section, named) == others)
            continue;
        if (entry->key)
            fprintf(out, "%s=%s\n", entry->key, entry->value);
        else
            fprintf(out, "\n[%s]\n", entry->section);
    }
}
