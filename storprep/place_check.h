/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what a guest's storage needs around it, on the host that it is to come to. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* guest.files-there, storage.pools-there, .nfs-options, .nfs-version, .virt-use-nfs,
 * .qemu-user-same, .backing-there. */
CheckGroup place_check(const StorageChecks *checks, const GuestFacts *facts);
