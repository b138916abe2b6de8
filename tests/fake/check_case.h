/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every check is tried where it holds and where it is broken: a table of what breaks it, and the
 * two tests that each line stands for. */
#pragma once

#include "common/check.h"

typedef struct {
    const char *id;
    CheckSeverity severity;
    void (*break_it)(void *world); /* changes a world in which the check holds */
    const char *evidence;          /* what a broken one says, in part */
    void (*prepare)(void *world);  /* makes a world in which the check has a subject */
} CheckCase;

/* What all lines of a table have in common. */
typedef struct {
    void *(*new_world)(void);
    void (*free_world)(void *world);
    /* Asks in the role that the case is about: its prepare() tells which. */
    CheckReport *(*run)(void *world, const CheckCase *test);
} CheckSuite;

/* Adds "/check/ID/holds" and "/check/ID/broken" for each of @count cases; tests/check-catalogue
 * looks for these names. Both static. */
void check_suite_add(const CheckSuite *suite, const CheckCase *cases, gsize count);

/* All files below @directory, a line each: whose, how large, where and when last changed in any
 * way. Two of them are equal if nothing was. Owned by the caller. */
char *check_case_snapshot(const char *directory);

/* Whether @remedy begins with a command that an administrator has, and its comment, if it has one,
 * can be copied along. */
gboolean check_case_is_command(const char *remedy);

/* The outcome of check @id, which must be in @report. */
CheckOutcome check_case_outcome(const CheckReport *report, const char *id);
