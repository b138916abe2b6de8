/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors keep what failed, why and what to do, and their names lead back to their codes. */
#include <gio/gio.h>

#include "common/fault.h"

static void
test_parts_are_kept(void)
{
    g_autoptr(GError) error = NULL;

    fault_set(&error, FAULT_NO_SPACE, "directory '/x'", "make room", "%d of %d bytes", 1, 2);
    g_autoptr(GError) copy = g_error_copy(error);
    g_assert_error(copy, FAULT, FAULT_NO_SPACE);
    g_assert_cmpstr(fault_object(copy), ==, "directory '/x'");
    g_assert_cmpstr(fault_cause(copy), ==, "1 of 2 bytes");
    g_assert_cmpstr(fault_remedy(copy), ==, "make room");
    g_assert_cmpstr(copy->message, ==, "directory '/x': 1 of 2 bytes; make room");
}

static void
test_remedy_may_be_missing_and_error_unwanted(void)
{
    g_autoptr(GError) error = NULL;

    fault_set(NULL, FAULT_INTERNAL, "nobody", NULL, "listens");
    fault_set(&error, FAULT_CANCELLED, "job", NULL, "stopped");
    g_assert_cmpstr(error->message, ==, "job: stopped");
    g_assert_cmpstr(fault_remedy(error), ==, "");
}

static void
test_foreign_errors_are_internal(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "from elsewhere");

    g_assert_cmpint(fault_code(error), ==, FAULT_INTERNAL);
    g_assert_cmpstr(fault_cause(error), ==, "from elsewhere");
    g_assert_cmpstr(fault_object(error), ==, "");
}

static void
test_every_code_has_a_name_of_its_own(void)
{
    for (int code = 0; code < FAULT_COUNT; code++) {
        FaultCode back = FAULT_COUNT;
        g_assert_nonnull(fault_code_name((FaultCode)code));
        g_assert_true(fault_code_from_name(fault_code_name((FaultCode)code), &back));
        g_assert_cmpint(back, ==, code);
    }
    FaultCode unchanged = FAULT_NO_SPACE;
    g_assert_false(fault_code_from_name("Nonesuch", &unchanged));
    g_assert_cmpint(unchanged, ==, FAULT_NO_SPACE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fault/parts", test_parts_are_kept);
    g_test_add_func("/fault/optional", test_remedy_may_be_missing_and_error_unwanted);
    g_test_add_func("/fault/foreign", test_foreign_errors_are_internal);
    g_test_add_func("/fault/names", test_every_code_has_a_name_of_its_own);
    return g_test_run();
}
