/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that has files open, to say who is in the way. */
#pragma once

#include <glib.h>

/* "process 12 (qemu)": one that has @target or anything below it open, as the process directory
 * @proc tells; NULL if there is none among LIMIT_OPEN_FILES descriptors. Others' descriptors are
 * seen with CAP_SYS_PTRACE only. Caller owns the result. */
char *file_user_find(const char *proc, const char *target);
