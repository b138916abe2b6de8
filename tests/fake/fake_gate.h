/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a daemon's calls pass on their way to the world that fakes share. */
#pragma once

#include <glib.h>

/* How a call fares. */
typedef enum {
    FAKE_GATE_OPEN,
    FAKE_GATE_SHUT, /* it fails with errno, and does nothing */
    FAKE_GATE_MUTE, /* it does what it was asked, but fails with errno: the answer is lost */
} FakeGateState;

/* Asked before each call, in the thread that makes it; may change the world. Sets errno unless it
 * is open. */
typedef FakeGateState (*FakeGate)(void *data);
