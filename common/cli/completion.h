/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What could stand where the cursor of a shell is. Pure. */
#pragma once

#include <glib.h>

/* What only a host knows. */
typedef enum {
    COMPLETION_GUESTS = 1 << 0,
    COMPLETION_HOSTS = 1 << 1,
    COMPLETION_LEASES = 1 << 2,
    COMPLETION_JOBS = 1 << 3,
} CompletionNames;

typedef struct {
    unsigned names;        /* of CompletionNames */
    GPtrArray *literals;   /* "WORD" or "WORD\tDESCRIPTION", owned */
    const char *beginning; /* of the word at the cursor; borrowed from the words */
} Completion;

/*
 * Decides by @help, what `migprep VERB --help` prints, and @words, those between the verb and the
 * cursor; the last one, maybe empty, is the one at the cursor. "--to=h" may be one word or, as bash
 * has it, three. An option's value is told by its placeholder, an operand by the usage line. What
 * does not begin as the word at the cursor does is among the literals, too.
 */
Completion *completion_decide(const char *help, char *const *words);
void completion_free(Completion *completion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Completion, completion_free)

/* The verbs in @help, what `migprep --help` prints, as literals. */
Completion *completion_of_verbs(const char *help, const char *beginning);
