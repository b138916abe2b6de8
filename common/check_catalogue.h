/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All checks that there are: what each proves, how bad its failure is, and who says so. */
#pragma once

#include <jansson.h>

#include "common/fault.h"

typedef enum {
    CHECK_BLOCKER,     /* the move would fail, or the guest would lose something by it */
    CHECK_WARNING,     /* the move works, but something is hurt or at risk */
    CHECK_INFORMATION, /* good to know */
} CheckSeverity;

/* On which host a check runs. */
typedef enum {
    CHECK_AT_SOURCE,
    CHECK_AT_DESTINATION,
    CHECK_AT_EVERY_HOST,
} CheckPlace;

typedef struct {
    const char *id;    /* "guest.running": never changes, scripts know it */
    const char *title; /* a few words for a table: what is so when it passes */
    const char *proves;
    CheckSeverity severity;
    CheckPlace place;
    const char *daemon; /* who runs it; "migprep" for the command itself */
    const char *remedy; /* a command to copy; words in capitals are for people to fill in, and what
                           follows "  #" is a comment */
    const char *source; /* who says that it must be so */
    const char *invalidated_by; /* what would make a result stale */
    /* Command that may be applied on the host because it harms nobody; a word in capitals stands
     * for the name of what is wrong. NULL: people decide. */
    const char *fix;
    FaultCode fault;     /* of a move that is refused for it; 0: FAULT_CHECK_FAILED */
    gboolean loses_data; /* what nobody may override */
} CheckKind;

/* Check number @index, by id's first part and then in the order in which they matter; NULL beyond
 * the last. Static. */
const CheckKind *check_catalogue_at(gsize index);
/* NULL if there is no check of that id. Static. */
const CheckKind *check_catalogue_find(const char *id);

const char *check_severity_name(CheckSeverity severity); /* "blocker" | "warning" | "information" */

/* docs/checks.md as it has to be. Owned by the caller. */
char *check_catalogue_print(void);
/* The same for programs, as docs/schemas/check-catalogue.schema.json has it. New reference. */
json_t *check_catalogue_to_json(void);
