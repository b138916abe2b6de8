/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SQLite's statements, one of which fails: for errors that come while something is read, which no
 * disk produces on demand, since what was read once is in memory. */
#pragma once

#include <glib.h>

/* sqlite3_prepare_v3(), sqlite3_step() and sqlite3_exec() are led here by the linker. From now on,
 * and over all threads, the @number-th such call (1: the next) fails and does nothing; 0: none. */
void faulty_sql_arm(unsigned number);
/* Whether it came to that. */
gboolean faulty_sql_has_struck(void);
