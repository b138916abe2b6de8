/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Draws how far a migration's transfer is. */
#pragma once

#include "common/cli/move.h"

/* "[#####.....]  50 %  1.5 GiB of 3.0 GiB  118.0 MiB/s  about 13 s left" in at most @columns
 * columns: what does not fit is left out, the bar first. Owned. */
char *progress_bar_format(const MoveProgress *progress, unsigned columns);

/* 0-100, of memory and disk together; 0 while the sizes are unknown. 100 only when all is sent. */
unsigned progress_bar_percent(const MoveProgress *progress);
