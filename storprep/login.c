/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/login.h"

#include <string.h>

#include "common/fault.h"
#include "common/program.h"
#include "common/ssh_command.h"

#define SSH_FAILED 255 /* ssh itself, not what it ran */

static void
set_fault(const char *host, const char *cause, GError **error)
{
    g_autofree char *object = g_strdup_printf("host '%s'", host);
    g_autofree char *remedy = g_strdup_printf("ssh-copy-id root@%s", host);

    fault_set(error, FAULT_PEER_UNREACHABLE, object, remedy, "%s", cause);
}

/* ssh's last line is the reason; what comes before are banners and warnings. */
static const char *
last_line(char *text)
{
    const char *line = strrchr(g_strstrip(text), '\n');

    return line ? line + 1 : *text ? text : "ssh ended without a word";
}

/* As libvirt's ssh would: by root's own configuration. A key that is not known is refused, since
 * there is nobody to ask; only a configuration that takes any has it written down, as at each
 * login. */
gboolean
login_try(const char *host, GError **error)
{
    static const char *const options[] = { "-o", "UpdateHostKeys=no", "-o", "ControlPath=none",
                                           NULL };
    static const char *const nothing[] = { "true", NULL };
    g_auto(GStrv) argv = ssh_command("ssh", options, host, nothing);
    g_auto(ProgramResult) result = { 0 };
    g_autoptr(GError) failure = NULL;

    if (!program_run((const char *const *)argv, NULL, LOGIN_SECONDS, NULL, &result, &failure))
        set_fault(host, fault_cause(failure), error);
    else if (result.exit_status == SSH_FAILED)
        set_fault(host, last_line(result.error_text), error);
    else
        return TRUE;
    return FALSE;
}
