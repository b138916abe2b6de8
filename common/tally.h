/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts of what happened since the daemon started. */
#pragma once

#include <glib.h>

/* Thread-safe. Beyond LIMIT_TALLY different pairs nothing new is counted. */
typedef struct Tally Tally;
Tally *tally_new(void);
void tally_free(Tally *tally);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tally, tally_free)

/* Once more. Neither word has a space in it: names of methods, states, errors. Copied. */
void tally_add(Tally *tally, const char *what, const char *how);
/* Calls @tell for each pair in the order of the alphabet. */
void tally_each(Tally *tally,
                void (*tell)(const char *what, const char *how, guint64 count, void *data),
                void *data);
