/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/check_arrival.h"

static void
arrival_free(void *data)
{
    CheckArrival *arrival = data;

    guest_facts_free(arrival->facts);
    g_free(arrival);
}

CheckGroup
check_arrival_group(const StorageChecks *checks, const GuestFacts *facts, const Check *list,
                    CheckReadiness (*prepare)(void *data, GError **error))
{
    CheckArrival *arrival = g_new0(CheckArrival, 1);

    arrival->checks = checks;
    arrival->facts = guest_facts_copy(facts);
    return (CheckGroup) { .object = CHECK_ARRIVAL_HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = arrival,
                          .free_context = arrival_free };
}
