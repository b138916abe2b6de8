/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same work on several things at once. */
#pragma once

#include <glib.h>

/* Does thing number @index of @data; FALSE with @error. Called from several threads at once. */
typedef gboolean (*ParallelRun)(guint index, void *data, GError **error);

/*
 * Calls @run for 0 to @count - 1, each in a thread of its own (where there is none to be had, one
 * after the other), and returns when all have ended: one that fails does not stop the others.
 * FALSE with the first failure in the order of their numbers; others are logged. The caller bounds
 * @count. Blocks.
 */
gboolean parallel_run(guint count, ParallelRun run, void *data, GError **error);
