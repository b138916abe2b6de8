/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a drain tells those who are not there: the journal, and callers of this host's Watch. */
#pragma once

#include "common/cli/drain.h"

/* Not thread-safe: calls come one at a time. @host is this host, borrowed; NULL: only the journal
 * hears of it. */
typedef struct {
    Peer *host;
    gboolean unheard; /* the daemon did not take one: it is not asked again */
} DrainNews;

/* How a guest begins and ends; what happens in between is no news. Blocks for a few seconds at
 * most. */
void drain_news_event(DrainNews *news, const DrainEvent *event);
/* The end of all. */
void drain_news_result(DrainNews *news, DrainResultKind kind);
