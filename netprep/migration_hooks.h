/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a guest's own programs run around its move: before its VFs go, after they are back. */
#pragma once

#include "netprep/network_lease.h"

/* Runs the guest's before_migration hooks. Fails as guest_hooks_run(); *job's progress tells how
 * many ran. Blocks. */
gboolean migration_hooks_before(const NetworkHost *host, Job *job, const Lease *detachment,
                                GError **error);

/* Runs the after_migration hooks of the guest of @lease, which arrived here or stayed here. A lease
 * that is tried again because it is degraded had them run at its first try. What fails is written
 * to the journal only: there is nothing left to stop. @job may be NULL. Blocks. */
void migration_hooks_after(const NetworkHost *host, Job *job, const Lease *lease);
