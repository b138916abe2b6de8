/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads configuration files, none of them trusted to be small. */
#include "netprep/guest/config_file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
config_file_join(const char *root, const char *path, char *full)
{
    int length = snprintf(full, PATH_MAX, "%s%s", root, path);

    return length >= 0 && length < PATH_MAX;
}

static char *
read_stream(FILE *file)
{
    char *text = malloc(CONFIG_FILE_MAX + 2);
    size_t length = text ? fread(text, 1, CONFIG_FILE_MAX + 1, file) : 0;

    if (!text || ferror(file) || length > CONFIG_FILE_MAX || memchr(text, '\0', length)) {
        free(text);
        return NULL;
    }
    text[length] = '\0';
    return text;
}

char *
config_file_read(const char *root, const char *path)
{
    char full[PATH_MAX];
    struct stat about;
    char *text = NULL;

    if (!config_file_join(root, path, full) || stat(full, &about) < 0 || !S_ISREG(about.st_mode))
        return NULL;
    FILE *file = fopen(full, "re");
    if (!file)
        return NULL;
    text = read_stream(file);
    fclose(file);
    return text;
}

bool
config_file_exists(const char *root, const char *path)
{
    char full[PATH_MAX];
    struct stat about;

    return config_file_join(root, path, full) && lstat(full, &about) == 0;
}

bool
config_file_value(const char *root, const char *path, const char *key, char *value, size_t size)
{
    char *text = config_file_read(root, path), *rest = NULL;
    const size_t length = strlen(key);
    bool found = false;

    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && !found;
         line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " \t");
        if (strncmp(line, key, length) != 0 || line[length] != '=')
            continue;
        found = true;
        if ((size_t)snprintf(value, size, "%s", line + length + 1) >= size)
            found = false;
        break;
    }
    free(text);
    return found;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
has_suffix(const char *name, const char *suffix)
{
    const size_t length = strlen(name), end = strlen(suffix);

    return name[0] != '.' && length >= end && strcmp(name + length - end, suffix) == 0;
}

/* The names in @directory, sorted; their number. */
static size_t
list(const char *directory, const char *suffix, char **names)
{
    DIR *open = opendir(directory);
    struct dirent *entry = NULL;
    size_t count = 0;

    while (open && count < CONFIG_FILES_MAX && (entry = readdir(open))) {
        if (has_suffix(entry->d_name, suffix) && (names[count] = strdup(entry->d_name)))
            count++;
    }
    if (open)
        closedir(open);
    qsort(names, count, sizeof(*names), compare);
    return count;
}

bool
config_file_visit(const char *root, const char *directory, const char *suffix,
                  ConfigFileVisit visit, void *data)
{
    char full[PATH_MAX], path[PATH_MAX];
    bool stopped = false;

    if (!config_file_join(root, directory, full))
        return false;
    char **names = calloc(CONFIG_FILES_MAX, sizeof(*names));
    size_t count = names ? list(full, suffix, names) : 0;
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(path, sizeof(path), "%s/%s", directory, names[i]);

        if (!stopped && length > 0 && length < (int)sizeof(path))
            stopped = visit(path, data);
        free(names[i]);
    }
    free(names);
    return stopped;
}
