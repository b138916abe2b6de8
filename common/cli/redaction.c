/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns what counts as a secret. */
#include "common/cli/redaction.h"

#define NAMES                                                                                      \
    "(?:passw(?:or)?d|passphrase|passwd|secret|token|nonce|psk|api[-_]?key|private[-_]?key|"       \
    "credential)[a-z]*"

static const struct {
    const char *pattern, *replacement;
} rules[] = {
    /* "token":"5f7c", 'passwd'='x' */
    { "([\"']" NAMES "[\"']\\s*[:=]\\s*)(?:\"[^\"]*\"|'[^']*')", "\\1\"***\"" },
    /* passwd='x', vnc_password = "x" */
    { "(\\b[\\w.-]*" NAMES "\\s*[:=]\\s*)(?:\"[^\"]*\"|'[^']*')", "\\1\"***\"" },
    /* password: x */
    { "(\\b[\\w.-]*" NAMES "\\s*[:=]\\s*)(?![\"'\\s])[^\\s,;&]+", "\\1***" },
    /* --password x */
    { "(--[a-z-]*" NAMES "\\s+)[^\\s]+", "\\1***" },
    /* qemu+ssh://root:x@host2/system */
    { "(\\w://[^/\\s:@]*:)[^/\\s@]+@", "\\1***@" },
    { "(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----)", "\\1***\\2" },
};

char *
redaction_of(const char *text)
{
    char *redacted = g_utf8_make_valid(text, -1);

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autoptr(GRegex) regex =
            g_regex_new(rules[i].pattern, G_REGEX_CASELESS | G_REGEX_DOTALL, 0, NULL);
        char *next = g_regex_replace(regex, redacted, -1, 0, rules[i].replacement, 0, NULL);

        g_free(redacted);
        /* What cannot be searched is not shown. */
        redacted = next ? next : g_strdup("***\n");
    }
    return redacted;
}
