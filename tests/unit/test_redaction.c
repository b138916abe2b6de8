/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is a secret is not in what is shown; what is none stays. */
#include <string.h>

#include "common/cli/redaction.h"

static const char *const secrets[] = {
    "password=hunter2",
    "Password: hunter2",
    "passwd='hunter2'",
    "<graphics type='vnc' passwd=\"hunter2\"/>",
    "{\"token\":\"hunter2\"}",
    "{\"token\": \"hunter2\", \"kind\": \"x\"}",
    "'nonce': 'hunter2'",
    "migprep_token=hunter2;",
    "vnc_password = \"hunter2\"",
    "qemu+ssh://root:hunter2@host2/system",
    "curl --password hunter2 host2",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2\n-----END RSA PRIVATE KEY-----",
    "api_key=hunter2",
    "passphrase: hunter2",
};

static const char *const harmless[] = {
    "guest 'web1' has functions reserved for it",
    "qemu+ssh://root@host2/system",
    "52:54:00:00:00:01 0000:01:10.2",
    "{\"lease\":\"5f7a\",\"state\":\"reserved\"}",
    "[storage]\nimage-directories=/srv\n",
};

static void
test_secrets_are_taken_out(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++) {
        g_autofree char *text = g_strconcat("before ", secrets[i], " after", NULL);
        g_autofree char *redacted = redaction_of(text);

        g_test_message("%s -> %s", text, redacted);
        g_assert_null(strstr(redacted, "hunter2"));
        g_assert_nonnull(strstr(redacted, "***"));
        g_assert_true(g_str_has_prefix(redacted, "before "));
        g_assert_true(g_str_has_suffix(redacted, " after"));
    }
}

static void
test_the_rest_stays(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(harmless); i++) {
        g_autofree char *redacted = redaction_of(harmless[i]);
        g_assert_cmpstr(redacted, ==, harmless[i]);
    }
}

static void
test_any_bytes(void)
{
    g_autofree char *redacted = redaction_of("\xff\xfe password=hunter2");

    g_assert_true(g_utf8_validate(redacted, -1, NULL));
    g_assert_null(strstr(redacted, "hunter2"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redaction/secrets are taken out", test_secrets_are_taken_out);
    g_test_add_func("/redaction/the rest stays", test_the_rest_stays);
    g_test_add_func("/redaction/any bytes", test_any_bytes);
    return g_test_run();
}
