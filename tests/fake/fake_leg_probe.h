/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network devices on which everybody answers, unless told otherwise. */
#pragma once

#include "netprep/leg_probe.h"

typedef struct FakeLegProbe FakeLegProbe;

/* The LegProbe owns the fake: free it by leg_probe_free(fake_leg_probe_get(fake)). */
FakeLegProbe *fake_leg_probe_new(void);
LegProbe *fake_leg_probe_get(FakeLegProbe *fake); /* borrowed */

/* Nobody answers on @device from now on; NULL: all answer. A static string. */
void fake_leg_probe_set_silent(FakeLegProbe *fake, const char *device);
/* How often anything was asked on @device. */
unsigned fake_leg_probe_count(FakeLegProbe *fake, const char *device);
