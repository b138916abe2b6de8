/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Check of what emulates TPMs on the host that a guest is to come to, and its abilities. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* guest.tpm-there. @facts are copied. */
CheckGroup tpm_check(const StorageChecks *checks, const GuestFacts *facts);

/* Whether the swtpm of this host can hand over state that lies on storage of both hosts: since 0.8
 * it gives up its lock for that. FAULT_PROGRAM_FAILED and its like if it cannot be asked. Blocks
 * for a few seconds at the most. */
gboolean tpm_can_share_state(const StorageChecks *checks, gboolean *ret_can, GError **error);
