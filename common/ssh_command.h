/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How another host's programs are run. */
#pragma once

#include <glib.h>

/* The command that runs @remote (NULL-terminated words that mean nothing to a shell, since the
 * other host's shell sees them) on @host, which passed host_name_check(). @options: further ones of
 * ssh, NULL-terminated; NULL: none. NULL-terminated, owned. */
char **ssh_command(const char *ssh, const char *const *options, const char *host,
                   const char *const *remote);
