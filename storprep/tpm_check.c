/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks swtpm. */
#include "storprep/tpm_check.h"

#include <string.h>

#include "common/program.h"
#include "storprep/check_arrival.h"

#define PROGRAM_SECONDS 3
#define SHARING_ABILITY "cmdarg-migration" /* swtpm(8), --print-capabilities */

gboolean
tpm_can_share_state(const StorageChecks *checks, gboolean *ret_can, GError **error)
{
    const char *argv[] = { checks->tpm_program, "socket", "--print-capabilities", NULL };
    g_auto(ProgramResult) result = { 0 };

    if (!program_run(argv, NULL, PROGRAM_SECONDS, NULL, &result, error))
        return FALSE;
    *ret_can = strstr(result.output, SHARING_ABILITY) != NULL;
    return TRUE;
}

static CheckReadiness
prepare(void *data, GError **error)
{
    const CheckArrival *arrival = data;

    return g_strcmp0(arrival->facts->tpm, "emulator") == 0 ? CHECK_READY : CHECK_NOTHING;
}

static void
check_there(void *data, CheckReport *report)
{
    const CheckArrival *arrival = data;
    g_autofree char *path = g_find_program_in_path(arrival->checks->tpm_program);

    if (path)
        check_pass(report, CHECK_ARRIVAL_HOST, "has %s for the guest's TPM", path);
    else
        check_fail(report, CHECK_ARRIVAL_HOST, NULL,
                   "has no swtpm, which emulates the guest's TPM");
}

CheckGroup
tpm_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "guest.tpm-there", check_there }, { 0 } };

    return check_arrival_group(checks, facts, list, prepare);
}
