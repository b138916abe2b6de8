/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways from a host to several others: they are the same for all its guests, so each is tried
 * once. */
#pragma once

#include "common/cli/check_answer.h"

typedef struct CheckPassages CheckPassages; /* thread-safe */

/* No way is known. Owned by the caller. */
CheckPassages *check_passages_new(void);
void check_passages_free(CheckPassages *passages);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckPassages, check_passages_free)

/* As check_questions_ask(), for questions about ways and not about guests. Who asks for a way that
 * somebody else is asking for waits for that answer. A way to a host that told nothing is asked for
 * again once it tells where it is. */
void check_passages_ask(CheckPassages *passages, CheckQuestion *questions, guint count);
