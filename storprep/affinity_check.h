/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a host against what a guest's policy says of hosts and of other guests. */
#pragma once

#include "storprep/check_subject.h"
#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* guest.group-together: of a guest that is to leave this host. */
CheckGroup affinity_check_left(CheckSubject *subject);
/* guest.place-allowed. @facts are copied. */
CheckGroup affinity_check(const StorageChecks *checks, const GuestFacts *facts);
