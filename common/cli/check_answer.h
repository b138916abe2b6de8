/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemons of several hosts answer to Check, asked at the same time. */
#pragma once

#include "common/cli/check_silence.h"

/* To another host, for role passage. All borrowed. */
typedef struct {
    const char *destination;
    unsigned measure_seconds;    /* 0: the guest's memory is not watched */
    guint64 bandwidth_mebibytes; /* a second; 0: not known */
    gboolean login; /* whether the source's libvirt can log in there, and nothing else */
} CheckWay;

/* One call of Check. What is not NULL is borrowed, but the outcome. */
typedef struct {
    Peer *peer;
    Service service;
    const char *role;    /* "source" | "destination" | "host" | "passage" */
    const char *guest;   /* for the source */
    const CheckWay *way; /* for the way from the source to another host; else NULL */
    json_t *facts;       /* for a destination: what the source told this service; NULL: nothing */
    GCancellable *cancellable; /* may be NULL */
    CheckSilence *silence;     /* may be NULL */
    json_t *reply;             /* outcome: owned, NULL if there was none */
    GError *error;             /* outcome: why not, owned */
} CheckQuestion;

void check_question_clear(CheckQuestion *question);

/* Asks all of them beside each other and waits for all: a few seconds at the most, since each has a
 * deadline. Never fails: see the outcomes. */
void check_questions_ask(CheckQuestion *questions, gsize count);

/* The results in the reply, each with the host and role that it is about; a daemon that did not
 * answer is a result too: that it could not be checked. New reference to an array. */
json_t *check_question_results(const CheckQuestion *question);

typedef enum {
    CHECK_VERDICT_READY = 0,
    CHECK_VERDICT_WARNINGS = 1,
    CHECK_VERDICT_BLOCKED = 2,
    CHECK_VERDICT_UNKNOWN = 3,
} CheckVerdict; /* the numbers are exit statuses */

/* What an array of results means for a move. What could not be checked counts as much as if it were
 * broken, but for a blocker it is not known to be one. */
CheckVerdict check_verdict_of(const json_t *results);
/* The worse of two: ready, warnings, unknown, blocked. */
CheckVerdict check_verdict_worse(CheckVerdict a, CheckVerdict b);
const char *check_verdict_name(CheckVerdict verdict); /* "ready" | "warnings" | ... */
