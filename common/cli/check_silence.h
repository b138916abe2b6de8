/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which daemons did not answer, so that many questions wait for them once. */
#pragma once

#include "common/cli/peer.h"

typedef struct CheckSilence CheckSilence; /* thread-safe */

/* Nobody is known to be silent. Owned by the caller. */
CheckSilence *check_silence_new(void);
void check_silence_free(CheckSilence *silence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckSilence, check_silence_free)

/* Remembers @error if it says that nobody answers; a refusal is an answer. @silence may be NULL. */
void check_silence_note(CheckSilence *silence, const Peer *peer, Service service,
                        const GError *error);
/* A copy of what was remembered, or NULL. @silence may be NULL. */
GError *check_silence_find(CheckSilence *silence, const Peer *peer, Service service);
