/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a survey says, for people. */
#pragma once

#include "common/cli/check_survey.h"

/* The results, what helps and the verdicts, on standard output; coloured on a terminal. @quiet:
 * only what did not pass. */
void check_print(const CheckSurvey *survey, gboolean quiet);
