/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remedies of checks that may be applied, since the catalogue calls them harmless. */
#pragma once

#include <glib.h>
#include <jansson.h>

/*
 * The command that mends @result, which did not pass: NULL unless its remedy is, word for word, the
 * one that the catalogue has as harmless, with a plain name in place of the word in capitals. What
 * a daemon says is never run otherwise. NULL-terminated, owned by the caller. Pure.
 */
char **remedy_command(const json_t *result);

/* Runs @command on @host by @ssh (NULL: "ssh"), or here if @host is NULL. FAULT_PROGRAM_FAILED with
 * what it said, FAULT_TIMED_OUT. Blocks for half a minute at the most. */
gboolean remedy_apply(char *const *command, const char *host, const char *ssh, GError **error);
