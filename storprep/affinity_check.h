/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a host against what a guest's policy says of hosts and of other guests. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* guest.place-allowed. @facts are copied. */
CheckGroup affinity_check(const StorageChecks *checks, const GuestFacts *facts);
