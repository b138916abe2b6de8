/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the directories that copies of disks are to be made in. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* storage.sectors-fit, storage.target-label. @facts are copied. */
CheckGroup directory_check(const StorageChecks *checks, const GuestFacts *facts);

/* The SELinux label of @path, "system_u:object_r:virt_image_t:s0"; NULL if it has none. Owned by
 * the caller. */
char *directory_label_read(const char *path);
