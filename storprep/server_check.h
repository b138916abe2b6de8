/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Check of the way from this host to the servers of a guest's network disks. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* storage.servers-reachable. @facts are copied. */
CheckGroup server_check(const StorageChecks *checks, const GuestFacts *facts);
