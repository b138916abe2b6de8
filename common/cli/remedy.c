/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what a daemon proposes with what the catalogue allows. */
#include "common/cli/remedy.h"

#include "common/check_catalogue.h"
#include "common/cli/reply.h"
#include "common/fault.h"
#include "common/program.h"

#define SECONDS 30

static gboolean
is_placeholder(const char *word)
{
    for (const char *at = word; *at; at++) {
        if (!g_ascii_isupper(*at))
            return FALSE;
    }
    return *word != '\0';
}

/* No option, and nothing that the shell at the other end of ssh would look at twice. */
static gboolean
is_plain_name(const char *word)
{
    for (const char *at = word; *at; at++) {
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '.' && *at != '-')
            return FALSE;
    }
    return g_ascii_isalnum(*word);
}

static gboolean
fits(char *const *words, char *const *pattern)
{
    gsize i;

    for (i = 0; words[i] && pattern[i]; i++) {
        gboolean same = g_str_equal(words[i], pattern[i]);

        if (!same && !(is_placeholder(pattern[i]) && is_plain_name(words[i])))
            return FALSE;
    }
    return !words[i] && !pattern[i];
}

char **
remedy_command(const json_t *result)
{
    const CheckKind *kind = check_catalogue_find(reply_text(result, "check"));

    if (!kind || !kind->fix || g_str_equal(reply_text(result, "outcome"), "passed"))
        return NULL;
    g_auto(GStrv) pattern = g_strsplit(kind->fix, " ", -1);
    g_auto(GStrv) words = g_strsplit(reply_text(result, "remedy"), " ", -1);
    return fits(words, pattern) ? g_steal_pointer(&words) : NULL;
}

static char **
command_at(char *const *command, const char *host, const char *ssh)
{
    static const char *const options[] = { "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
                                           "--" };
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();

    if (host) {
        g_strv_builder_add(words, ssh ? ssh : "ssh");
        for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
            g_strv_builder_add(words, options[i]);
        g_strv_builder_add(words, host);
    }
    for (char *const *word = command; *word; word++)
        g_strv_builder_add(words, *word);
    return g_strv_builder_end(words);
}

gboolean
remedy_apply(char *const *command, const char *host, const char *ssh, GError **error)
{
    g_auto(GStrv) argv = command_at(command, host, ssh);
    g_auto(GStrv) environment = g_get_environ(); /* of the user, whose agent ssh may need */
    g_auto(ProgramResult) result = { 0 };

    if (!program_run_with((const char *const *)argv, (const char *const *)environment, NULL,
                          SECONDS, NULL, &result, error))
        return FALSE;
    if (result.exit_status == 0)
        return TRUE;
    g_autofree char *text = g_strjoinv(" ", (char **)command);
    fault_set(error, FAULT_PROGRAM_FAILED, text, NULL, "ended with status %d: %s",
              result.exit_status, g_strchomp(result.error_text));
    return FALSE;
}
