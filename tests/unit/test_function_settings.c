/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only what differs is set, what was refused is named, and the next user gets a clean VF. */
#include <errno.h>

#include "fake/fake_function_control.h"

#define PF    "npf0"
#define INDEX 2

static gboolean
apply(FakeFunctionControl *fake, const FunctionSettings *wanted, gboolean clear_mac, GError **error)
{
    return function_settings_apply(fake_function_control_get(fake), PF, INDEX, wanted, clear_mac,
                                   error);
}

static void
test_sets_only_what_differs(void)
{
    FakeFunctionControl *fake = fake_function_control_new();
    g_autoptr(FunctionControl) control = fake_function_control_get(fake);
    FunctionSettings wanted = { .vlan = 7, .qos = 3, .spoof_check = TRUE, .trust = TRUE };
    g_autoptr(GError) error = NULL;

    g_assert_true(apply(fake, &wanted, TRUE, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_MAC), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_VLAN), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_TRUST), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_SPOOF_CHECK), ==, 0);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_LINK_STATE), ==, 0);
    g_assert_cmpuint(fake_function_control_settings(fake, INDEX)->vlan, ==, 7);

    g_assert_true(apply(fake, &wanted, FALSE, &error));
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_VLAN), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_MAC), ==, 1);
}

static void
test_missing_option_does_no_harm_while_its_value_is_right(void)
{
    FakeFunctionControl *fake = fake_function_control_new();
    g_autoptr(FunctionControl) control = fake_function_control_get(fake);
    FunctionSettings wanted = { .spoof_check = TRUE };
    g_autoptr(GError) error = NULL;

    fake_function_control_refuse(fake, FUNCTION_OPTION_LINK_STATE, -EOPNOTSUPP);
    g_assert_true(apply(fake, &wanted, TRUE, &error));

    wanted.link_state = FUNCTION_LINK_ENABLE;
    g_assert_false(apply(fake, &wanted, TRUE, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_FAILED);
    g_assert_nonnull(strstr(error->message, "link state"));
    g_assert_cmpstr(fault_object(error), ==, "VF 2 of npf0");
}

static void
test_driver_without_trust_is_accepted(void)
{
    FakeFunctionControl *fake = fake_function_control_new();
    g_autoptr(FunctionControl) control = fake_function_control_get(fake);
    FunctionSettings wanted = { .spoof_check = TRUE, .trust = TRUE };
    g_autoptr(GError) error = NULL;

    fake_function_control_refuse(fake, FUNCTION_OPTION_TRUST, -EOPNOTSUPP);
    g_assert_true(apply(fake, &wanted, TRUE, &error));
    fake_function_control_refuse(fake, FUNCTION_OPTION_TRUST, -EPERM);
    g_assert_false(apply(fake, &wanted, TRUE, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_FAILED);
}

static void
test_refused_mac_is_named(void)
{
    FakeFunctionControl *fake = fake_function_control_new();
    g_autoptr(FunctionControl) control = fake_function_control_get(fake);
    FunctionSettings wanted = { .spoof_check = TRUE };
    g_autoptr(GError) error = NULL;

    fake_function_control_refuse(fake, FUNCTION_OPTION_MAC, -EINVAL);
    g_assert_false(apply(fake, &wanted, TRUE, &error));
    g_assert_nonnull(strstr(error->message, "administrative MAC"));
}

static void
test_reset_leaves_nothing_of_the_last_user(void)
{
    FakeFunctionControl *fake = fake_function_control_new();
    g_autoptr(FunctionControl) control = fake_function_control_get(fake);
    FunctionSettings *settings = fake_function_control_settings(fake, INDEX);
    g_autoptr(GError) error = NULL;

    *settings = (FunctionSettings) { .vlan = 9, .trust = TRUE, .maximum_rate = 100 };
    g_assert_true(function_settings_reset(control, PF, INDEX, &error));
    g_assert_cmpuint(settings->vlan, ==, 0);
    g_assert_false(settings->trust);
    g_assert_false(settings->spoof_check); /* the driver's own default is not ours to choose */
    g_assert_cmpuint(settings->maximum_rate, ==, 0);
    g_assert_cmpuint(fake_function_control_count(fake, FUNCTION_OPTION_MAC), ==, 1);
}

static void
test_json_goes_there_and_back_within_bounds(void)
{
    FunctionSettings settings = { .vlan = 4094,
                                  .qos = 7,
                                  .vlan_dot1ad = TRUE,
                                  .trust = TRUE,
                                  .link_state = FUNCTION_LINK_DISABLE,
                                  .maximum_rate = 10000 };
    FunctionSettings read = { 0 };
    json_auto_t *object = function_settings_to_json(&settings);
    g_autoptr(GError) error = NULL;

    g_assert_true(function_settings_from_json(object, &read, &error));
    g_assert_cmpmem(&settings, sizeof(settings), &read, sizeof(read));
    json_object_set_new(object, "vlan", json_integer(4095));
    g_assert_false(function_settings_from_json(object, &read, &error));
    g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/function-settings/sets-only-what-differs", test_sets_only_what_differs);
    g_test_add_func("/function-settings/missing-option-does-no-harm",
                    test_missing_option_does_no_harm_while_its_value_is_right);
    g_test_add_func("/function-settings/driver-without-trust-is-accepted",
                    test_driver_without_trust_is_accepted);
    g_test_add_func("/function-settings/refused-mac-is-named", test_refused_mac_is_named);
    g_test_add_func("/function-settings/reset-leaves-nothing-of-the-last-user",
                    test_reset_leaves_nothing_of_the_last_user);
    g_test_add_func("/function-settings/json-goes-there-and-back",
                    test_json_goes_there_and_back_within_bounds);
    return g_test_run();
}
