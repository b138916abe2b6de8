/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory for this process alone, which is gone when the process is. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. The process keeps a lock (flock(2)) on its directory, which the kernel drops
 * however the process ends. Whoever makes one looks for those of its user that nobody has locked,
 * and removes them: what a killed process left goes with the next.
 */
typedef struct Scratch Scratch;

/* Makes one in @parent (NULL: the directory for temporary files), for this user only. NULL if there
 * is no place for it. Owned by the caller. */
Scratch *scratch_new(const char *parent);
/* Removes it with the files and sockets in it. */
void scratch_free(Scratch *scratch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scratch, scratch_free)

const char *scratch_path(const Scratch *scratch); /* borrowed */
