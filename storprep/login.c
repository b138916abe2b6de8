/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storprep/login.h"

#include <string.h>

#include "common/fault.h"
#include "common/program.h"
#include "common/ssh_command.h"

#define SSH_FAILED 255 /* ssh itself, not what it ran */

/* What ssh says in its own name is that it did not get there; a refusal has its user and host. */
static gboolean
is_unreached(const char *cause)
{
    return g_str_has_prefix(cause, "ssh: ");
}

static void
set_fault(const char *host, FaultCode code, const char *cause, GError **error)
{
    g_autofree char *object = g_strdup_printf("host '%s'", host);
    g_autofree char *remedy =
        g_strdup_printf(code == FAULT_PEER_UNREACHABLE ? "ping %s" : "ssh-copy-id root@%s", host);

    fault_set(error, code, object, remedy, "%s", cause);
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

    if (!program_run((const char *const *)argv, NULL, LOGIN_SECONDS, NULL, &result, &failure)) {
        set_fault(host, FAULT_PEER_UNREACHABLE, fault_cause(failure), error);
    } else if (result.exit_status == SSH_FAILED) {
        const char *cause = last_line(result.error_text);
        set_fault(host, is_unreached(cause) ? FAULT_PEER_UNREACHABLE : FAULT_PROGRAM_FAILED, cause,
                  error);
    } else {
        return TRUE;
    }
    return FALSE;
}
