/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal says of who asked for a change. */
#include <string.h>

#include "common/varlink_audit.h"

/* The entries that were written, as "NAME=VALUE;" for each field. */
static GLogWriterOutput
keep(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    for (gsize i = 0; i < count; i++)
        g_string_append_printf(data, "%s=%s;", fields[i].key, (const char *)fields[i].value);
    return G_LOG_WRITER_HANDLED;
}

static GString *
written(void)
{
    static GString *text;

    if (!text) {
        text = g_string_new(NULL);
        g_log_set_writer_func(keep, text, NULL);
    }
    return text;
}

static void
tell(json_t *parameters)
{
    const VarlinkAudit audit = { "io.migprep.Network", "Reserve", 1000, 77 };
    json_auto_t *owned = parameters;

    g_string_truncate(written(), 0);
    varlink_audit_tell(&audit, owned);
}

static void
test_caller_and_subject_are_fields_of_their_own(void)
{
    tell(json_pack("{s:{s:s, s:s}, s:s, s:s, s:i}", "guest", "name", "web1", "uuid", "u", "owner",
                   "me", "lease", "L1", "generation", 7));
    const char *text = written()->str;
    g_assert_nonnull(strstr(text, "CALLER_UID=1000;CALLER_PID=77;"));
    g_assert_nonnull(strstr(text, "MIGPREP_METHOD=io.migprep.Network.Reserve;"));
    g_assert_nonnull(strstr(text, "MIGPREP_GUEST=web1;"));
    g_assert_nonnull(strstr(text, "MIGPREP_LEASE=L1;"));
    g_assert_nonnull(strstr(text, "MESSAGE=io.migprep.Network.Reserve by uid 1000, process 77, "
                                  "guest 'web1', lease 'L1', owner 'me';"));
}

static void
test_caller_cannot_forge_an_entry(void)
{
    g_autofree char *flood = g_strnfill(100000, 'x');

    tell(json_pack("{s:s, s:s}", "guest", "web1\nMESSAGE=io.migprep.Network.Reserve by uid 0",
                   "owner", flood));
    g_assert_null(strchr(written()->str, '\n'));
    g_assert_cmpuint(written()->len, <, 2000);
}

static void
test_what_names_nothing_is_told_all_the_same(void)
{
    tell(json_object());
    g_assert_nonnull(strstr(written()->str, "by uid 1000, process 77;"));
}

static void
test_what_only_looks_is_not_told(void)
{
    static const char *const looking[] = { "Describe", "ListLeases", "GetPolicy", "Check",
                                           "WatchJob", "Renew",      "Announce" };
    static const char *const changing[] = { "Reserve", "Detach",    "ForceRelease", "CreateTargets",
                                            "Migrate", "SetPolicy", "CancelJob" };

    for (gsize i = 0; i < G_N_ELEMENTS(looking); i++)
        g_assert_false(varlink_audit_wants(looking[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(changing); i++)
        g_assert_true(varlink_audit_wants(changing[i]));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/varlink-audit/fields", test_caller_and_subject_are_fields_of_their_own);
    g_test_add_func("/varlink-audit/forgery", test_caller_cannot_forge_an_entry);
    g_test_add_func("/varlink-audit/nothing", test_what_names_nothing_is_told_all_the_same);
    g_test_add_func("/varlink-audit/looking", test_what_only_looks_is_not_told);
    return g_test_run();
}
