/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The digest of a whole image: what proves that two hosts have an equal one. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

#include "common/job.h"

#define IMAGE_DIGEST_CHARACTERS 64 /* SHA-256, in hexadecimal */

/*
 * Reads all of the image at @path, which must lie below one of @directories, and publishes how far
 * it is as the progress of @job (may be NULL), whose cancellation ends it. Sizes count in bytes.
 * Blocks as long as that takes, but five minutes at most for what its storage does not answer.
 * FAULT_TARGET_REFUSED, FAULT_PROGRAM_FAILED (it cannot be read), FAULT_TIMED_OUT, FAULT_CANCELLED.
 */
gboolean image_digest_read(const char *path, const char *const *directories, Job *job,
                           guint64 *ret_bytes, char **ret_digest, GError **error);

/*
 * Proves that this host has every image of @chain, an array of BaseImage of io.migprep.Storage that
 * passed the interface's check. FAULT_IMAGE_INVALID naming the first one that differs; errors as
 * above. Blocks as above.
 */
gboolean image_digest_prove(const json_t *chain, const char *const *directories, GError **error);

/* Starts the job for DigestImages of @paths; @directories is borrowed and must outlive it.
 * FAULT_LIMIT_EXCEEDED, FAULT_TARGET_REFUSED. */
Job *image_digest_start(JobRegistry *jobs, json_t *paths, const char *const *directories,
                        GError **error);
