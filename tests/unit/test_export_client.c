/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of who a directory may be exported to. */
#include "common/fault.h"
#include "storprep/export_client.h"

static const char *const none[] = { NULL };

static void
test_one_host_is_accepted(void)
{
    static const char *const hosts[] = {
        "host2", "host-2.example.org", "10.98.0.2", "fe80::1", "2001:db8::2", "3com.example", "h",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(export_client_check(hosts[i], none, &error));
        g_assert_no_error(error);
    }
}

static void
test_everything_wider_is_refused(void)
{
    static const char *const wide[] = {
        "",          "*",          "*.example.org", "host?",
        "host[1-2]", "@trusted",   "gss/krb5",      "0.0.0.0",
        "::",        "-o",         "host2 host3",   "host2(rw)",
        "host2,rw",  "10.0.0.0/8", "0.0.0.0/0",     "1.2.3",
        "224.0.0.1", "host2\n",    "host2:/x",      "..",
        "host.",     "12345",      "a/b",           "h\xc3\xb6st",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wide); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(export_client_check(wide[i], none, &error));
        g_assert_error(error, FAULT, FAULT_SHARE_REFUSED);
        g_assert_cmpstr(fault_remedy(error), !=, "");
    }
}

static void
test_networks_only_where_configured(void)
{
    static const char *const allowed[] = { "10.98.0.0/16", "2001:db8::/32", NULL };

    g_assert_true(export_client_check("10.98.0.0/24", allowed, NULL));
    g_assert_true(export_client_check("10.98.0.0/16", allowed, NULL));
    g_assert_true(export_client_check("2001:db8:1::/48", allowed, NULL));
    g_assert_false(export_client_check("10.0.0.0/8", allowed, NULL));
    g_assert_false(export_client_check("10.99.0.0/24", allowed, NULL));
    g_assert_false(export_client_check("10.98.0.1/24", allowed, NULL)); /* host bits */
    g_assert_false(export_client_check("0.0.0.0/0", allowed, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/export-client/one-host", test_one_host_is_accepted);
    g_test_add_func("/export-client/wider", test_everything_wider_is_refused);
    g_test_add_func("/export-client/networks", test_networks_only_where_configured);
    return g_test_run();
}
