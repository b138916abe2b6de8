/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a guest on its own host: whether libvirt can move it at all. */
#pragma once

#include "storprep/storage_check.h"

/* guest.exists. */
CheckGroup guest_check_exists(const StorageChecks *checks, const char *guest);
/* guest.running, .no-job, .no-snapshot, .not-transient-disk, for a guest that exists; tells the
 * other host what the guest needs, its disks left out. */
CheckGroup guest_check_state(const StorageChecks *checks, const char *guest);

/* "guest 'web1'". Owned by the caller. */
char *guest_check_label(const char *guest);
/* Reads a guest for a check: CHECK_NOTHING if there is none, which guest.exists says. */
CheckReadiness guest_check_read(const StorageChecks *checks, const char *guest, Guest **ret_guest,
                                GError **error);
