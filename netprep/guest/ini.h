/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sections and settings of a configuration file of NetworkManager or systemd-networkd, in their
 * order: sections and keys may be there more than once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct {
    const char *section;
    const char *key; /* NULL: the section begins here */
    const char *value;
} IniEntry;

typedef struct {
    char *text; /* what the entries point into */
    IniEntry *entries;
    size_t count;
} Ini;

/* Takes over @text (NULL: nothing), which must come from malloc(). Comments are dropped. */
Ini ini_parse(char *text);
void ini_clear(Ini *ini);

/* The last value of @key in any section of that name; NULL: none. */
const char *ini_get(const Ini *ini, const char *section, const char *key);

/* Writes the sections that @named lists (a list that ends with NULL), or, with @others, those that
 * it does not name. */
void ini_write(const Ini *ini, FILE *out, const char *const *named, bool others);
