/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes small files inside a guest by qemu-guest-agent's file commands, for guests that
 * run nothing of ours. The guest is not trusted: what it returns is bounded text. */
#pragma once

#include "common/hypervisor.h"

/* How much of a file is read, at most. */
#define GUEST_FILE_BYTES (64 * 1024)

/* All of them block, for up to three round trips of @timeout_seconds each, and fail with
 * FAULT_AGENT_UNAVAILABLE (silent) or FAULT_AGENT_FAILED (no such file, refused, malformed). */

/* The first GUEST_FILE_BYTES of @path up to a NUL byte. Owned by the caller. */
char *guest_file_read(Hypervisor *hypervisor, const char *uuid, const char *path,
                      unsigned timeout_seconds, GError **error);

/* Writes @text. What sysfs thinks of it is known at the close only, whose error is returned. */
gboolean guest_file_write(Hypervisor *hypervisor, const char *uuid, const char *path,
                          const char *text, unsigned timeout_seconds, GError **error);
