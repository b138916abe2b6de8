/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much the way to another host carries. */
#pragma once

#include <gio/gio.h>

/*
 * Sends some mebibytes to @host by @ssh (NULL: "ssh"), where they are thrown away, and times it:
 * mebibytes a second. ssh encrypts on one processor, so a fast way carries more than that; what it
 * carries at least is what a verdict should rest on. FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT,
 * FAULT_CANCELLED. Blocks, for a few seconds.
 */
gboolean bandwidth_measure(const char *host, const char *ssh, GCancellable *cancellable,
                           guint64 *ret_mebibytes, GError **error);
