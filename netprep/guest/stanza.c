/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Splits interfaces(5) into what is of some devices and the rest. */
#include "netprep/guest/stanza.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096

/* Where lines that begin with no keyword belong to. */
typedef enum {
    PLACE_REST,
    PLACE_TAKEN,
} Place;

typedef struct {
    const char *const *devices;
    Stanzas *stanzas;
    FILE *rest;
    FILE *options; /* of the stanza that is being taken */
    size_t options_size;
    Place place;
    bool continued; /* the line before ended with a backslash */
} Splitting;

/* As the caller has it; NULL: @word is none. */
static const char *
find_device(const Splitting *splitting, const char *word)
{
    for (size_t i = 0; splitting->devices[i]; i++) {
        if (strcmp(splitting->devices[i], word) == 0)
            return splitting->devices[i];
    }
    return NULL;
}

static bool
is_list(const char *keyword)
{
    return strcmp(keyword, "auto") == 0 || strncmp(keyword, "allow-", 6) == 0 ||
           strcmp(keyword, "no-auto-down") == 0 || strcmp(keyword, "no-scripts") == 0;
}

static bool
is_other_keyword(const char *keyword)
{
    return strcmp(keyword, "mapping") == 0 || strcmp(keyword, "source") == 0 ||
           strcmp(keyword, "source-directory") == 0 || strcmp(keyword, "rename") == 0 ||
           strcmp(keyword, "template") == 0;
}

static void
end_stanza(Splitting *splitting)
{
    if (splitting->options)
        fclose(splitting->options);
    splitting->options = NULL;
}

static void
keep_line(Splitting *splitting, const char *line)
{
    const char *first = line + strspn(line, " \t");

    if (*first && *first != '#')
        splitting->stanzas->rest_counts = true;
    fprintf(splitting->rest, "%s\n", line);
}

/* "auto lo eth0" without eth0; nothing, if nothing is left. */
static void
split_list(Splitting *splitting, const char *line)
{
    char copy[LINE_MAX_BYTES], kept[LINE_MAX_BYTES] = "", *rest = NULL;
    size_t used = 0, words = 0, left = 0;

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        words++;
        if (words > 1 && find_device(splitting, word))
            continue;
        left++;
        used += (size_t)snprintf(kept + used, sizeof(kept) - used, "%s%s", used ? " " : "", word);
    }
    if (left == words) {
        keep_line(splitting, line);
        return;
    }
    splitting->stanzas->named = true;
    if (left > 1)
        keep_line(splitting, kept);
}

static bool
begin_stanza(Splitting *splitting, const char *device, const char *method)
{
    Stanzas *stanzas = splitting->stanzas;

    if (stanzas->count == STANZAS_MAX)
        return false;
    Stanza *stanza = &stanzas->items[stanzas->count++];
    snprintf(stanza->device, sizeof(stanza->device), "%s", device);
    snprintf(stanza->method, sizeof(stanza->method), "%s", method + strspn(method, " \t"));
    splitting->options = open_memstream(&stanza->options, &splitting->options_size);
    stanzas->named = true;
    return splitting->options != NULL;
}

/* A line that does not go on from the one before. */
static bool
split_line(Splitting *splitting, const char *line)
{
    char keyword[32] = "", word[64] = "";
    int used = 0;

    sscanf(line, " %31s %63s%n", keyword, word, &used);
    if (strcmp(keyword, "iface") == 0) {
        const char *device = find_device(splitting, word);

        end_stanza(splitting);
        splitting->place = device ? PLACE_TAKEN : PLACE_REST;
        if (device)
            return begin_stanza(splitting, device, line + used);
    } else if (is_list(keyword)) {
        splitting->place = PLACE_REST;
        split_list(splitting, line);
        return true;
    } else if (is_other_keyword(keyword)) {
        splitting->place = PLACE_REST;
    } else if (splitting->place == PLACE_TAKEN && keyword[0]) {
        if (keyword[0] != '#')
            fprintf(splitting->options, "%s\n", line);
        return true;
    }
    keep_line(splitting, line);
    return true;
}

static bool
split(Splitting *splitting, char *text)
{
    bool done = true;

    for (char *line = text, *end = NULL; done && line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        else if (!*line)
            break;
        const size_t length = strlen(line);
        if (length >= LINE_MAX_BYTES)
            return false;
        if (!splitting->continued)
            done = split_line(splitting, line);
        else if (splitting->place == PLACE_TAKEN)
            fprintf(splitting->options, "%s\n", line);
        else
            keep_line(splitting, line);
        splitting->continued = length && line[length - 1] == '\\';
    }
    return done;
}

bool
stanzas_take(const char *text, const char *const *devices, Stanzas *ret_stanzas)
{
    Stanzas stanzas = { 0 };
    size_t size = 0;
    char *copy = strdup(text);
    Splitting splitting = { .devices = devices,
                            .stanzas = &stanzas,
                            .rest = open_memstream(&stanzas.rest, &size) };
    bool done = copy && splitting.rest && split(&splitting, copy);

    end_stanza(&splitting);
    if (splitting.rest && fclose(splitting.rest) != 0)
        done = false;
    free(copy);
    if (done)
        *ret_stanzas = stanzas;
    else
        stanzas_clear(&stanzas);
    return done;
}

void
stanzas_clear(Stanzas *stanzas)
{
    for (size_t i = 0; i < stanzas->count; i++)
        free(stanzas->items[i].options);
    free(stanzas->rest);
    *stanzas = (Stanzas) { 0 };
}

bool
stanzas_have(const char *text, const char *device)
{
    const char *const devices[] = { device, NULL };
    Stanzas stanzas = { 0 };
    bool have = stanzas_take(text, devices, &stanzas) && stanzas.count > 0;

    stanzas_clear(&stanzas);
    return have;
}
