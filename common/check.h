/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What checks find: one result for each thing that was looked at, and the report that holds them.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "common/check_catalogue.h"

typedef enum {
    CHECK_PASSED,
    CHECK_FAILED,
    CHECK_UNKNOWN, /* it could not be checked, which is never the same as passed */
} CheckOutcome;

/* Why nothing is known of what only the other host can tell. */
#define CHECK_NOT_TOLD "the guest's host did not tell"

typedef struct {
    const CheckKind *kind;
    char *object; /* "guest 'web1'" */
    CheckOutcome outcome;
    char *evidence; /* what was found, as a sentence about the object */
    char *remedy;   /* a command to copy, perhaps with a comment; "" if it passed */
} CheckResult;

typedef struct {
    GPtrArray *results;    /* of CheckResult * */
    json_t *facts;         /* an object: what the other host needs to know for its checks */
    const CheckKind *kind; /* what check_pass() and its like add to; set by who runs the check */
    const char *guest;     /* what GUEST in remedies stands for, likewise; NULL: it stays */
} CheckReport;

/* Empty. Owned by the caller. */
CheckReport *check_report_new(void);
void check_report_free(CheckReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckReport, check_report_free)

/* For check functions: adds a result of the check that runs. A check whose subject does not exist
 * (a guest without disks) adds none. @remedy is a command, which may end with a comment ("  # in
 * the guest") and say GUEST for the guest's name; NULL: the catalogue's. */
void check_pass(CheckReport *report, const char *object, const char *evidence, ...)
    G_GNUC_PRINTF(3, 4);
void check_fail(CheckReport *report, const char *object, const char *remedy, const char *evidence,
                ...) G_GNUC_PRINTF(4, 5);
/* @text as a shell takes it for one word, for commands: quoted unless it is plain. Owned. */
char *check_word(const char *text);
/* The same with the catalogue's command, and @advice as a comment on it: a fault's remedy. */
void check_fail_advised(CheckReport *report, const char *object, const char *advice,
                        const char *evidence, ...) G_GNUC_PRINTF(4, 5);
void check_unknown(CheckReport *report, const char *object, const char *evidence, ...)
    G_GNUC_PRINTF(3, 4);
/* Tells the other host about @name; @value is stolen. */
void check_fact(CheckReport *report, const char *name, json_t *value);

/* Moves results and facts of @from to the end of @report. */
void check_report_take(CheckReport *report, CheckReport *from);

/* The first result of check @id about @object (NULL: about anything); NULL if none. Borrowed. */
const CheckResult *check_report_find(const CheckReport *report, const char *id, const char *object);

/*
 * The reply of Check: {results, checkedAt, invalidatedBy, facts}, the time in UTC as ISO 8601 and
 * what the results depend on named once each. New reference.
 */
json_t *check_report_to_json(const CheckReport *report);

const char *check_outcome_name(CheckOutcome outcome); /* "passed" | "failed" | "unknown" */
