/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories that nobody else has to answer for: dealings with them need no program that can be
 * killed. */
#pragma once

#include <glib.h>

/* Whether @directory is there, by a path without a link, on a disk or in the memory of this host,
 * as @mount_info (NULL: /proc/self/mountinfo) has it; FALSE if that is not certain. Does not wait
 * for any server. */
gboolean local_path_is(const char *directory, const char *mount_info);
