/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest that is to come here, for the groups of checks that look at nothing else. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

#define CHECK_ARRIVAL_HOST "this host"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    GuestFacts *facts;           /* as its host tells them */
} CheckArrival;

/* A group about this host, whose checks and @prepare (NULL: there is none) get a CheckArrival of
 * their own. @checks has to outlive the group; @facts are copied. */
CheckGroup check_arrival_group(const StorageChecks *checks, const GuestFacts *facts,
                               const Check *list,
                               CheckReadiness (*prepare)(void *data, GError **error));
