/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VF settings in memory, with options that the driver refuses, ignores or does not report. */
#pragma once

#include "fake/fake_gate.h"
#include "netprep/function_settings.h"

#define FAKE_FUNCTION_DRIVER   "fakedrv"
#define FAKE_FUNCTION_FIRMWARE "3.30, 0x8000"

typedef struct FakeFunctionControl FakeFunctionControl;

/* The FunctionControl owns the fake. */
FakeFunctionControl *fake_function_control_new(void);
FunctionControl *fake_function_control_get(FakeFunctionControl *fake); /* borrowed */
/* Another handle to the same VFs, whose calls pass @gate. Must be freed before the fake. */
FunctionControl *fake_function_control_open(FakeFunctionControl *fake, FakeGate gate, void *data);

/* The settings of one VF, which may be changed. All start as zero with spoof check on. */
FunctionSettings *fake_function_control_settings(FakeFunctionControl *fake, unsigned index);
/* Whether the VF exists (the default); one that comes back is as new. */
void fake_function_control_set_present(FakeFunctionControl *fake, unsigned index, gboolean present);
/* From now on setting @option fails with @status (negative errno; 0: works again). */
void fake_function_control_refuse(FakeFunctionControl *fake, FunctionOption option, int status);
/* From now on settings of which @refuses says so fail with -EINVAL. */
void fake_function_control_refuse_if(FakeFunctionControl *fake,
                                     gboolean (*refuses)(FunctionOption option,
                                                         const FunctionSettings *wanted));
/* From now on setting @option succeeds and changes nothing. */
void fake_function_control_ignore(FakeFunctionControl *fake, FunctionOption option);
/* The @call-th setting from now on, of whichever option, and all after it fail with -EIO. */
void fake_function_control_fail_from(FakeFunctionControl *fake, unsigned call);
/* What VFs without an administrative MAC report: six bytes, borrowed; as igbvf's on the host. */
void fake_function_control_own_mac(FakeFunctionControl *fake, const guint8 *mac);
/* How often @option was set. */
unsigned fake_function_control_count(FakeFunctionControl *fake, FunctionOption option);

/* Which MAC a VF has while no administrative one is set; all zero: none. */
typedef void (*FakeMacSource)(unsigned index, guint8 *ret_mac, void *data);
void fake_function_control_ask_mac(FakeFunctionControl *fake, FakeMacSource source, void *data);
