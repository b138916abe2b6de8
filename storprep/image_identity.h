/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells one image from another on two hosts: asked without trusting the file system's type. */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * ImageIdentity records of io.migprep.Storage for @paths (array of strings): inode number, size,
 * time of change and a digest of the first bytes, or the reason why there are none. New reference;
 * NULL: FAULT_LIMIT_EXCEEDED, FAULT_TARGET_REFUSED (not within @directories), FAULT_TIMED_OUT,
 * FAULT_PROGRAM_FAILED. Blocks, a few seconds at most for each directory that does not answer.
 */
json_t *image_identity_list(json_t *paths, const char *const *directories, GError **error);

/* Whether ImageIdentity records of two hosts mean one file: inode and first bytes are equal, and it
 * has not shrunk from @earlier to @later, since its guest may be writing to it. Pure. */
gboolean image_identity_is_same(const json_t *earlier, const json_t *later);
