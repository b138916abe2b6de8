/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What QEMU's user and root may do with files of a server that may not answer. */
#pragma once

#include <jansson.h>

#include "storprep/qemu_conf.h"

/*
 * For each of @paths (an array): {path, owner, root, readable, writable, lockable}, or {path,
 * reason, absent}. root: it may read and write, so the server does not squash it, or need not.
 * The rest is about the user of @uid and @gid, who must be able to take locks. Asked of the server,
 * nothing is written and no lock taken. FAULT_TIMED_OUT, FAULT_PROGRAM_FAILED. Blocks for
 * FILE_ACCESS_SECONDS at most. New reference to the array.
 */
json_t *file_access_try(json_t *paths, uid_t uid, gid_t gid, GError **error);

#define FILE_ACCESS_SECONDS 4 /* within CHECK_TIMEOUT_MSEC */
