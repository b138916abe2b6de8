/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of guests and programs, made fit for messages and the journal. */
#pragma once

#include <glib.h>

/* At most @bytes_max bytes of @text as valid UTF-8 without control and format characters, so that
 * it stays on one line, changes no terminal and reads in one direction (what is no UTF-8 becomes
 * three bytes); without spaces at its ends. Owned by the caller. */
char *printable_line(const char *text, gsize bytes_max);

/* Each line of @text that is not empty, at most @lines_max of them; where more was said, the last
 * one is "...". NULL-terminated, owned by the caller. */
char **printable_lines(const char *text, gsize bytes_max, guint lines_max);
