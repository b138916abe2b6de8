/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of changes to configuration files, made together and undone together. What was there is
 * kept beside it as .NAME.migprep-saved, a name that no reader of such directories takes up. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "netprep/guest/failure.h"

#define CONFIG_CHANGES_MAX 16

typedef struct {
    char *path;
    char *content; /* NULL: the file is only set aside */
    unsigned mode;
    bool replaces; /* there is a file already, which is set aside */
} ConfigChange;

typedef struct {
    ConfigChange items[CONFIG_CHANGES_MAX];
    size_t count;
} ConfigChanges;

/* All of these take over @content; false with @failure if out of memory or too many. */

/* A new file. Applying it fails if there is one of that name. */
bool config_changes_create(ConfigChanges *changes, const char *path, char *content, unsigned mode,
                           Failure *failure);
/* Another text for a file that is there, which keeps its mode; @content NULL: none at all. A repeat
 * for the same file does nothing. */
bool config_changes_replace(ConfigChanges *changes, const char *path, char *content,
                            Failure *failure);
void config_changes_clear(ConfigChanges *changes);

/* What will have been done, for a record that is written first: a list of {path, hash, saved}, the
 * latter two null where there is nothing. */
json_t *config_changes_record(const ConfigChanges *changes);

/* Makes all changes below @root, each file whole or not at all, and durable. False with @failure:
 * some may have been made. Blocks on the file system. */
bool config_changes_apply(const ConfigChanges *changes, const char *root, Failure *failure);

/* Undoes what of @record was done: removes what is as it was written, puts back what was saved. A
 * file that somebody changed since is left, and named in the array @instructions. False with
 * @failure if the file system refused. A repeat does nothing. */
bool config_changes_undo(const json_t *record, const char *root, json_t *instructions,
                         Failure *failure);

/* Whether every file that @record says was written is there as it was written. */
bool config_changes_hold(const json_t *record, const char *root);

/* Writes one file durably: a temporary file beside it, synced and renamed, directories made as
 * needed. @replace false: fails if there is one. */
bool config_changes_write(const char *root, const char *path, const char *content, unsigned mode,
                          bool replace, Failure *failure);
