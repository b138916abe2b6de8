/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/guest/neighbours.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The device is the last word of a line. */
static bool
is_about_bond(const char *line, const Links *links)
{
    const char *space = strrchr(line, ' ');
    char name[IFNAMSIZ];
    size_t length = space ? strcspn(space + 1, "\n") : 0;

    if (length == 0 || length >= sizeof(name))
        return false;
    memcpy(name, space + 1, length);
    name[length] = '\0';
    const Link *link = links_find_name(links, name);
    return link && link->is_bond;
}

static void
copy_lines(FILE *table, const Links *links, char *text)
{
    char *line = NULL;
    size_t size = 0, used = 0;
    ssize_t length;

    while ((length = getline(&line, &size, table)) > 0) {
        if (!is_about_bond(line, links))
            continue;
        if (used + (size_t)length >= NEIGHBOURS_BYTES)
            break;
        memcpy(text + used, line, (size_t)length);
        used += (size_t)length;
    }
    text[used] = '\0';
    free(line);
}

char *
neighbours_read(const char *root, const Links *links)
{
    char path[PATH_MAX];
    char *text = calloc(1, NEIGHBOURS_BYTES);
    int length = snprintf(path, sizeof(path), "%s/proc/net/arp", root);
    FILE *table = text && length > 0 && (size_t)length < sizeof(path) ? fopen(path, "re") : NULL;

    if (!table)
        return text;
    copy_lines(table, links, text);
    fclose(table);
    return text;
}
