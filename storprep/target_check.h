/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the places where a guest's disks are to be copied to. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* storage.path-allowed, .target-absent, .space-enough; none for a guest whose disks stay. */
CheckGroup target_check(const StorageChecks *checks, const GuestFacts *facts);
