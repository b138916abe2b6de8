/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call that does not come back until it is let go. */
#pragma once

#include "fake/fake_gate.h"

typedef struct Hang Hang;

Hang *hang_new(void);
/* To be freed when nobody is at the gate any more. */
void hang_free(Hang *hang);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hang, hang_free)

/* A FakeGate: the first call waits there, all others pass. */
FakeGateState hang_pass(void *hang);
/* Waits until a call hangs. */
void hang_await(Hang *hang);
/* Lets it go on, as if nothing had been. */
void hang_end(Hang *hang);
