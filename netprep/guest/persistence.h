/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bond that comes back when the guest boots: written for the system that configures its network,
 * recorded, and taken back. */
#pragma once

#include <jansson.h>

#include "netprep/guest/bond_plan.h"

typedef enum {
    PERSISTENCE_AUTO, /* the system that configures the devices now, or else one that is enabled */
    PERSISTENCE_NETWORKMANAGER,
    PERSISTENCE_NETWORKD,
    PERSISTENCE_IFUPDOWN,
    PERSISTENCE_NONE, /* the bond ends with the next boot */
} PersistenceChoice;

/* Reads "auto", "networkmanager", "networkd", "ifupdown" or "none". */
bool persistence_parse_choice(const char *text, PersistenceChoice *ret_choice);

typedef struct Persistence Persistence;

/* Finds the system and plans its files; nothing is changed. If the bond is configured already, by
 * us or by somebody else, there is nothing to write. NULL with @failure, also when files that we
 * wrote before are gone. All of these block on the file system. */
Persistence *persistence_prepare(PersistenceChoice choice, const BondPlan *plan, Failure *failure);
void persistence_free(Persistence *persistence);

/* Records what will be done, then does it. If it fails, all is put back. */
bool persistence_write(Persistence *persistence, Failure *failure);

/* Takes back what persistence_write() did. */
void persistence_undo(Persistence *persistence, Failure *failure);

/* Has the system take up the files, if it is that of the running guest, and tells what was done:
 * what persistence_describe()
 * says, and {written, saved, instructions}. What fails here is an instruction. Blocks
 * for at most some ten seconds for each program. */
json_t *persistence_finish(Persistence *persistence);

/* Puts back what was there before the bond @name was written. The running bond is left alone.
 * Returns {bond, removed, instructions}; a repeat finds nothing to remove. NULL with @failure. */
json_t *persistence_remove(const char *root, const char *name, Failure *failure);

/* Who configures the bond @name, and whether it is there after the next boot: {system, atBoot,
 * file}. The system is one of those above, "none" if no known one has it, or "unknown" if there is
 * no known one. */
json_t *persistence_describe(const char *root, const char *name);
