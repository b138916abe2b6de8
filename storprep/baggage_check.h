/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what keeps a guest on its host. */
#pragma once

#include "storprep/check_subject.h"
#include "storprep/storage_check.h"

/* guest.migration-allowed, .no-qemu-blockers, .no-shared-directories, .tpm-movable, .tsc-movable;
 * tells the other host to what the guest is pinned and which files it needs there. */
CheckGroup baggage_check(const StorageChecks *checks, CheckSubject *subject);
