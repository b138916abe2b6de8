/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that do not come back until they are let go. */
#pragma once

#include "fake/fake_gate.h"

typedef struct Hang Hang;

/* So many calls hang, the first ones. */
Hang *hang_new(unsigned calls);
/* To be freed when nobody is at the gate any more. */
void hang_free(Hang *hang);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hang, hang_free)

/* A FakeGate: those calls wait there, all others pass. */
FakeGateState hang_pass(void *hang);
/* Waits until all of them hang. */
void hang_await(Hang *hang);
/* Lets them go on, as if nothing had been. */
void hang_end(Hang *hang);
