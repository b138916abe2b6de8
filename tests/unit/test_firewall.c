/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of how firewall-cmd is understood; true(1) and false(1) stand for its answers. */
#include <glib/gstdio.h>

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

/* A firewall-cmd that answers @line. */
static char *
put_program(const char *directory, const char *line)
{
    char *path = g_build_filename(directory, "firewall-cmd", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", line);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0700), ==, 0);
    return path;
}

static void
test_permanent_rules_are_asked_for(void)
{
    g_autofree char *directory = g_dir_make_tmp("firewall-XXXXXX", NULL);
    g_autofree char *program =
        put_program(directory, "case \"$*\" in *--permanent*) exit 0;; *) exit 1;; esac");
    g_autoptr(Firewall) firewall = firewall_new_firewalld(program);
    gboolean open = TRUE, permanent = FALSE;

    g_assert_true(firewall_is_open(firewall, &open, NULL));
    g_assert_false(open);
    g_assert_true(firewall_is_permanent(firewall, &permanent, NULL));
    g_assert_true(permanent);
    g_assert_cmpint(g_unlink(program), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

/* It says no by 1 only; 252 is that it does not run, 253 that it may not be asked. */
static void
test_no_answer_is_not_no(void)
{
    g_autofree char *directory = g_dir_make_tmp("firewall-XXXXXX", NULL);
    g_autofree char *program = put_program(directory, "exit 253");
    g_autoptr(Firewall) firewall = firewall_new_firewalld(program);
    g_autoptr(GError) error = NULL;
    gboolean open = TRUE;

    g_assert_false(firewall_is_open(firewall, &open, &error));
    g_assert_error(error, FAULT, FAULT_PROGRAM_FAILED);
    g_assert_cmpint(g_unlink(program), ==, 0);
    g_assert_cmpint(g_rmdir(directory), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firewall/yes", test_yes);
    g_test_add_func("/firewall/no", test_no);
    g_test_add_func("/firewall/none", test_a_host_without_firewalld_has_no_firewall);
    g_test_add_func("/firewall/permanent", test_permanent_rules_are_asked_for);
    g_test_add_func("/firewall/no-answer", test_no_answer_is_not_no);
    return g_test_run();
}
