/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/guest_condition.h"

void
guest_condition_free(GuestCondition *condition)
{
    if (!condition)
        return;
    g_free(condition->job_disk);
    g_free(condition->broken_disk);
    g_strfreev(condition->messages);
    g_free(condition);
}
