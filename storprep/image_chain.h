/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether an image can be opened with all that lies below it, without guessing any format. */
#pragma once

#include <gio/gio.h>

#include "storprep/image_header.h"

/*
 * Follows the names in the headers from @path, of @format, down to the last image. QEMU would find
 * out by itself what a backing file is whose format is not written above it, and a guest can make
 * its raw disk look like anything: FAULT_IMAGE_INVALID naming the image that leaves it out, or that
 * lies on what is no regular file below one of @directories (NULL-terminated; links are followed
 * first), or has a header that makes QEMU open something else.
 * FAULT_LIMIT_EXCEEDED, FAULT_PROGRAM_FAILED, FAULT_CANCELLED. Blocks on the images.
 */
gboolean image_chain_check(const char *path, ImageFormat format, const char *const *directories,
                           GCancellable *cancellable, GError **error);
