/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of servers of network storage: storage.server-answers. */
#pragma once

#include "storprep/check_subject.h"
#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* Under the disks of a guest that is here; of one that is to come, where its host told what disks
 * it has; of all that is mounted on this host. @facts are copied. */
CheckGroup answer_check_guest(const StorageChecks *checks, CheckSubject *subject);
CheckGroup answer_check_arrival(const StorageChecks *checks, const GuestFacts *facts);
CheckGroup answer_check_host(const StorageChecks *checks);
