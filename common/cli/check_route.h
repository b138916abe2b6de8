/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way from a guest's host to another one, as both of them tell of it. */
#pragma once

#include "common/cli/check_answer.h"

/* Who is asked. All borrowed. */
typedef struct {
    Peer *source;
    Peer *destination;
    const char *guest;           /* whose memory is watched; NULL: nobody's */
    unsigned measure_seconds;    /* for that: 1-3 */
    guint64 bandwidth_mebibytes; /* a second, to compare it with; 0: not known */
    gboolean login_known;        /* this command goes the way of the source's ssh itself */
    GCancellable *cancellable;   /* may be NULL */
    CheckSilence *silence;       /* may be NULL */
} CheckRoute;

/* What was said, both as answers of the source. */
typedef struct {
    CheckWay login_way, passage_way;
    CheckQuestion login;   /* whether libvirt can log in there */
    CheckQuestion passage; /* what lies on the way */
} CheckRouteAnswers;

/*
 * Asks the destination where it is, and with that the source for the way there; that the source can
 * log in is what this command saw if it goes the same way, and else asked beside. Connections to
 * both daemons of the destination are open afterwards, if it answers. Never fails: see the
 * outcomes. Blocks for a few seconds at the most. Owned by the caller.
 */
CheckRouteAnswers *check_route_ask(const CheckRoute *route);
CheckRouteAnswers *check_route_answers_copy(const CheckRouteAnswers *answers);
void check_route_answers_free(CheckRouteAnswers *answers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckRouteAnswers, check_route_answers_free)
