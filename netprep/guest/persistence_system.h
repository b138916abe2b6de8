/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The systems that configure a guest's network at boot, each of which a bond can be written for. */
#pragma once

#include <jansson.h>

#include "netprep/guest/bond_plan.h"
#include "netprep/guest/config_changes.h"

#define PERSISTENCE_COMMANDS_MAX 3
#define PERSISTENCE_WORDS_MAX    10

/* Programs of the system that make it take up what was written, in their order. */
typedef struct {
    char *words[PERSISTENCE_COMMANDS_MAX][PERSISTENCE_WORDS_MAX]; /* each ends with NULL */
    size_t count;
} PersistenceCommands;

/* What is to be done for one bond. */
typedef struct {
    ConfigChanges changes;
    PersistenceCommands commands;
    json_t *instructions; /* what only the administrator can do, as sentences */
} PersistenceWork;

typedef struct {
    const char *name;
    /* Whether it configures @link now. */
    bool (*manages)(const char *root, const Link *link);
    /* Whether it runs, or will at the next boot. */
    bool (*is_enabled)(const char *root);
    /* The file that makes bond @name at boot, PATH_MAX bytes. */
    bool (*find_bond)(const char *root, const char *name, char *ret_path);
    /* Plans the files for a bond and what becomes of those of its ports. Changes nothing yet. */
    bool (*plan)(const BondPlan *plan, PersistenceWork *work, Failure *failure);
} PersistenceSystem;

extern const PersistenceSystem persistence_networkmanager;
extern const PersistenceSystem persistence_networkd;
extern const PersistenceSystem persistence_ifupdown;

/* The first line of every file that is written. */
#define PERSISTENCE_HEADER                                                                         \
    "# Written by netprep-guest for %s; `netprep-guest unpersist` removes it.\n"

/* Adds a command; @words is a list that ends with NULL, and is copied. */
void persistence_work_command(PersistenceWork *work, const char *const *words);
/* Adds a sentence. */
void persistence_work_instruct(PersistenceWork *work, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void persistence_work_clear(PersistenceWork *work);

/* Closes @out, an open_memstream() of @text, and plans a new file of that text. @text is taken
 * over. */
bool persistence_work_create(PersistenceWork *work, const char *path, unsigned mode, FILE *out,
                             char **text, Failure *failure);
