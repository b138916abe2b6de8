/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of processors and memory nodes, as libvirt writes them: "0-3,8". */
#pragma once

#include <glib.h>

#define NUMBER_SET_MAX 8191 /* the largest number; Linux has NR_CPUS 8192 at the most */

/* FALSE if @text is no set, "" included; else *ret_missing is the first number in it that
 * @available (of GUINT_TO_POINTER()) lacks, or -1. Pure. */
gboolean number_set_find_missing(const char *text, GHashTable *available, int *ret_missing);

/* FALSE, too, if @text is no set. Pure. */
gboolean number_set_contains(const char *text, unsigned number);
