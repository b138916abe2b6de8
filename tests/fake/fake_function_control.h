/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VF settings in memory, with options that the driver refuses on demand. */
#pragma once

#include "netprep/function_settings.h"

typedef struct FakeFunctionControl FakeFunctionControl;

/* The FunctionControl owns the fake. */
FakeFunctionControl *fake_function_control_new(void);
FunctionControl *fake_function_control_get(FakeFunctionControl *fake); /* borrowed */

/* The settings of one VF, which may be changed. All start as zero with spoof check on. */
FunctionSettings *fake_function_control_settings(FakeFunctionControl *fake, unsigned index);
/* From now on setting @option fails with @status (negative errno; 0: works again). */
void fake_function_control_refuse(FakeFunctionControl *fake, FunctionOption option, int status);
/* How often @option was set. */
unsigned fake_function_control_count(FakeFunctionControl *fake, FunctionOption option);
