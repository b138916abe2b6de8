/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk whose content was sent to the other host, as its image was then. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* The SentDisk record of io.migprep.Storage for @target's image at @path: which file it is and when
 * it was written last. New reference; FAULT_IMAGE_INVALID. Blocks on the file. */
json_t *sent_disk_new(const char *target, const char *path, GError **error);
/* FAULT_GUEST_BUSY unless each of @disks, an array of such records, is still what it was: else the
 * guest ran since, and the copy lacks what it wrote. Blocks on the files. */
gboolean sent_disks_check(const json_t *disks, GError **error);
