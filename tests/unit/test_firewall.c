/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of how firewall-cmd is understood; true(1) and false(1) stand for its answers. */
#include "common/fault.h"
#include "storprep/firewall.h"

static void
test_yes(void)
{
    g_autoptr(Firewall) firewall = firewall_new_firewalld("true");
    gboolean open = FALSE;

    g_assert_true(firewall_is_active(firewall));
    g_assert_true(firewall_is_open(firewall, &open, NULL));
    g_assert_true(open);
    g_assert_true(firewall_set_open(firewall, TRUE, NULL));
}

static void
test_no(void)
{
    g_autoptr(Firewall) firewall = firewall_new_firewalld("false");
    g_autoptr(GError) error = NULL;
    gboolean open = TRUE;

    g_assert_false(firewall_is_active(firewall));
    g_assert_true(firewall_is_open(firewall, &open, NULL));
    g_assert_false(open);
    g_assert_false(firewall_set_open(firewall, TRUE, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
}

static void
test_a_host_without_firewalld_has_no_firewall(void)
{
    g_autoptr(Firewall) firewall = firewall_new_firewalld("no-such-firewall-cmd");

    g_assert_false(firewall_is_active(firewall));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall/yes", test_yes);
    g_test_add_func("/firewall/no", test_no);
    g_test_add_func("/firewall/none", test_a_host_without_firewalld_has_no_firewall);
    return g_test_run();
}
