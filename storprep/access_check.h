/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the rights on network storage that a guest has in common with its old host. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* storage.nfs-rights, .nfs-locks, .nfs-squash; apart from others, since a server may not answer. */
CheckGroup access_check(const StorageChecks *checks, const GuestFacts *facts);
