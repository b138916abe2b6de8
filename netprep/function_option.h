/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one option of a VF's settings is called, compares and copies like. Pure. */
#pragma once

#include "netprep/function_settings.h"

/* The option with its value, as errors name it: "VLAN 7 (priority 0, 802.1Q)". Owned by caller. */
char *function_option_describe(FunctionOption option, const FunctionSettings *settings);

/* Whether both have the same value. */
gboolean function_option_equal(FunctionOption option, const FunctionSettings *a,
                               const FunctionSettings *b);
/* Gives @to the value that @from has. */
void function_option_copy(FunctionOption option, const FunctionSettings *from,
                          FunctionSettings *to);
