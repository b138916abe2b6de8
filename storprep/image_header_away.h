/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the header of an image whose storage may not answer. */
#pragma once

#include "storprep/image_header.h"

/* As image_header_read(), but in a child process that is killed at its deadline: FAULT_TIMED_OUT.
 */
gboolean image_header_read_away(const char *path, ImageFormat format, ImageHeader *ret_header,
                                GError **error);
