/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A question that several threads have and one asks: the others wait for it and get what it got. */
#pragma once

#include <glib.h>

typedef struct {
    GMutex lock; /* guards all below, and what the answer is kept in until it is there */
    gboolean asked;
    GError *failure; /* NULL: answered */
} Once;

/* Not asked yet. For once_clear(). */
void once_init(Once *once);
/* Nobody may be asking. */
void once_clear(Once *once);

/* Whoever comes first calls @ask, which keeps its answer in @data; it is fixed from then on. FALSE
 * with a copy of its error, for everybody. Blocks as @ask does. */
gboolean once_ask(Once *once, gboolean (*ask)(void *data, GError **error), void *data,
                  GError **error);
