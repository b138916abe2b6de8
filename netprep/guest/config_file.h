/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small files of the guest's own configuration and run-time state, below a root directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_FILE_MAX  (256 * 1024) /* bytes; a larger one is not read */
#define CONFIG_FILES_MAX 1024         /* in one directory */

/* @root is "" for the running system, or a directory without a slash at its end; @path begins with
 * a slash. All of these block on the file system. */

/* The file's text, owned by the caller; NULL if there is no such file, it is too large or no text.
 */
char *config_file_read(const char *root, const char *path);
bool config_file_exists(const char *root, const char *path);

/* The value of the first line "KEY=VALUE" (a leading blank is none of the key), in @size bytes.
 * False if there is none or it does not fit. */
bool config_file_value(const char *root, const char *path, const char *key, char *value,
                       size_t size);

/* Calls @visit with the path of each file in @directory whose name ends with @suffix and does not
 * begin with a dot, in alphabetical order, until it returns true; whether it did. */
typedef bool (*ConfigFileVisit)(const char *path, void *data);
bool config_file_visit(const char *root, const char *directory, const char *suffix,
                       ConfigFileVisit visit, void *data);

/* Joins root and path into @full, PATH_MAX bytes. False if it does not fit. */
bool config_file_join(const char *root, const char *path, char *full);
