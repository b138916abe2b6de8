/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the options of ssh. */
#include "common/ssh_command.h"

/* BatchMode: a question nobody answers would hang. ServerAlive: a host that died is noticed within
 * half a minute, also while nothing is said. -T: no terminal, whatever the user's file says. */
char **
ssh_command(const char *ssh, const char *const *options, const char *host,
            const char *const *remote)
{
    static const char *const always[] = { "-T",
                                          "-o",
                                          "BatchMode=yes",
                                          "-o",
                                          "ConnectTimeout=10",
                                          "-o",
                                          "ServerAliveInterval=10",
                                          "-o",
                                          "ServerAliveCountMax=3" };
    GPtrArray *command = g_ptr_array_new();

    g_ptr_array_add(command, g_strdup(ssh));
    for (gsize i = 0; i < G_N_ELEMENTS(always); i++)
        g_ptr_array_add(command, g_strdup(always[i]));
    for (gsize i = 0; options && options[i]; i++)
        g_ptr_array_add(command, g_strdup(options[i]));
    g_ptr_array_add(command, g_strdup("--"));
    g_ptr_array_add(command, g_strdup(host));
    for (gsize i = 0; remote[i]; i++)
        g_ptr_array_add(command, g_strdup(remote[i]));
    g_ptr_array_add(command, NULL);
    return (char **)g_ptr_array_free(command, FALSE);
}
