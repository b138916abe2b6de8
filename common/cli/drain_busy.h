/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether moves that others began leave room for one more. */
#pragma once

#include "common/cli/drain_work.h"

/* Why @work has to wait: with its own moves and those of others, source or destination would have
 * more than their limits. NULL: it need not, or nobody can tell. Owned by the caller. Blocks. */
char *drain_busy(const DrainWork *work);
