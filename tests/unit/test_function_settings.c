/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Only what differs is set, what was refused is named and undone, and the next user gets a clean
 * VF. */
#include <errno.h>
#include <string.h>

#include "fake/fake_function_control.h"

#define PF    "npf0"
#define INDEX 2
#define OTHER 5

static const guint8 guest_mac[] = { 0x52, 0x54, 0x00, 0xaa, 0x00, 0x01 };
static const guint8 own_mac[] = { 0x1e, 0x11, 0x22, 0x33, 0x44, 0x55 };
static const guint8 no_mac[FUNCTION_MAC_BYTES] = { 0 };

#define GUEST_MAC "52:54:00:aa:00:01"

typedef struct {
    FakeFunctionControl *fake;
    FunctionControl *control;
    FunctionSettings *settings; /* of VF INDEX, as the driver has them */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->fake = fake_function_control_new();
    fixture->control = fake_function_control_get(fixture->fake);
    fixture->settings = fake_function_control_settings(fixture->fake, INDEX);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    function_control_free(fixture->control);
}

static void
assert_applied(Fixture *fixture, const FunctionSettings *wanted, gboolean with_mac)
{
    g_autoptr(GError) error = NULL;

    function_settings_apply(fixture->control, PF, INDEX, wanted, with_mac, &error);
    g_assert_no_error(error);
}

/* Applying @wanted fails with @code and names @text. */
static void
assert_refused(Fixture *fixture, const FunctionSettings *wanted, gboolean with_mac, FaultCode code,
               const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(function_settings_apply(fixture->control, PF, INDEX, wanted, with_mac, &error));
    g_assert_error(error, FAULT, (int)code);
    g_assert_cmpstr(fault_object(error), ==, "VF 2 of npf0");
    if (!strstr(error->message, text))
        g_error("'%s' does not name '%s'", error->message, text);
}

static void
test_sets_only_what_differs(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .qos = 3, .spoof_check = TRUE, .trust = TRUE };

    assert_applied(fixture, &wanted, TRUE);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_MAC), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_VLAN), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_TRUST), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_SPOOF_CHECK), ==,
                     0);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_LINK_STATE), ==, 0);
    g_assert_cmpuint(fixture->settings->vlan, ==, 7);

    assert_applied(fixture, &wanted, FALSE);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_VLAN), ==, 1);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_MAC), ==, 1);
}

static void
test_writes_no_vlan_where_there_was_one(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .spoof_check = TRUE };

    fixture->settings->vlan = 9;
    assert_applied(fixture, &wanted, FALSE);
    g_assert_cmpuint(fixture->settings->vlan, ==, 0);
}

static void
test_missing_option_does_no_harm_while_its_value_is_right(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .spoof_check = TRUE };

    fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_LINK_STATE, -EOPNOTSUPP);
    assert_applied(fixture, &wanted, TRUE);
    wanted.link_state = FUNCTION_LINK_ENABLE;
    assert_refused(fixture, &wanted, TRUE, FAULT_FUNCTION_FAILED,
                   "driver fakedrv does not accept its link state enable: Operation not supported");
}

static void
test_driver_without_trust_is_accepted(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .spoof_check = TRUE, .trust = TRUE };

    fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_TRUST, -EOPNOTSUPP);
    assert_applied(fixture, &wanted, TRUE);
    fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_TRUST, -EPERM);
    assert_refused(fixture, &wanted, TRUE, FAULT_FUNCTION_FAILED, "trust on");
}

static void
test_unknown_at_the_source_stays_as_it_is(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .unreported = FUNCTION_OPTION_BIT(FUNCTION_OPTION_SPOOF_CHECK) };

    assert_applied(fixture, &wanted, FALSE);
    g_assert_true(fixture->settings->spoof_check);
}

static void
test_unreported_switch_is_taken_on_trust(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .spoof_check = TRUE };

    fixture->settings->spoof_check = FALSE;
    fixture->settings->unreported = FUNCTION_OPTION_BIT(FUNCTION_OPTION_SPOOF_CHECK);
    fake_function_control_ignore(fixture->fake, FUNCTION_OPTION_SPOOF_CHECK);
    assert_applied(fixture, &wanted, FALSE);
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_SPOOF_CHECK), ==,
                     1);
}

/* Everything differs, the driver takes some of it, and each option in turn is the one it refuses.
 */
static void
test_each_refusal_puts_back_what_was_changed(Fixture *fixture, gconstpointer unused)
{
    static const FunctionSettings wanted = { .vlan = 7,
                                             .trust = TRUE,
                                             .link_state = FUNCTION_LINK_ENABLE,
                                             .minimum_rate = 10,
                                             .maximum_rate = 100,
                                             .rss_query = TRUE,
                                             .node_guid = 1,
                                             .port_guid = 2 };
    static const char *const names[FUNCTION_OPTIONS] = {
        "removal of the administrative MAC address",
        "VLAN 7 (priority 0, 802.1Q)",
        "spoof check off",
        "trust on",
        "link state enable",
        "transmit rates (minimum 10, maximum 100 Mbit/s)",
        "RSS query on",
        "node GUID 0000000000000001",
        "port GUID 0000000000000002",
    };
    FunctionSettings before = { .vlan = 3, .spoof_check = TRUE, .maximum_rate = 50 };

    for (FunctionOption option = FUNCTION_OPTION_MAC; option < FUNCTION_OPTIONS; option++) {
        *fixture->settings = before;
        fake_function_control_refuse(fixture->fake, option, -EINVAL);
        assert_refused(fixture, &wanted, TRUE, FAULT_FUNCTION_FAILED, names[option]);
        g_assert_cmpmem(fixture->settings, sizeof(before), &before, sizeof(before));
        fake_function_control_refuse(fixture->fake, option, 0);
    }
}

static void
test_silently_ignored_option_is_found_and_all_is_undone(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE, .maximum_rate = 100 };

    fake_function_control_ignore(fixture->fake, FUNCTION_OPTION_RATES);
    assert_refused(fixture, &wanted, FALSE, FAULT_FUNCTION_FAILED,
                   "its transmit rates (minimum 0, maximum 100 Mbit/s): it was set, but reads back "
                   "differently");
    g_assert_cmpuint(fixture->settings->vlan, ==, 0);
}

static void
test_mac_that_cannot_be_cleared_again_is_named(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE };

    memcpy(wanted.mac, guest_mac, sizeof(guest_mac));
    fake_function_control_fail_from(fixture->fake, 2); /* the MAC works */
    assert_refused(fixture, &wanted, TRUE, FAULT_ROLLBACK_INCOMPLETE,
                   "its VLAN 7 (priority 0, 802.1Q): Input/output error; and this could not be put "
                   "back: removal of the administrative MAC address");
}

static void
test_undone_vlan_that_stays_is_named(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE, .trust = TRUE };

    fixture->settings->vlan = 3;
    fake_function_control_fail_from(fixture->fake, 2); /* the VLAN works */
    assert_refused(fixture, &wanted, FALSE, FAULT_ROLLBACK_INCOMPLETE,
                   "could not be put back: VLAN 3 (priority 0, 802.1Q)");
}

static void
test_mac_of_another_function_is_refused_unasked(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .spoof_check = TRUE };

    memcpy(wanted.mac, guest_mac, sizeof(guest_mac));
    memcpy(fake_function_control_settings(fixture->fake, OTHER)->mac, guest_mac, sizeof(guest_mac));
    assert_refused(fixture, &wanted, TRUE, FAULT_FUNCTION_BUSY,
                   "cannot get MAC address " GUEST_MAC ": VF 5 of npf0 has it");
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_MAC), ==, 0);
}

static void
test_function_beyond_the_list_is_named(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings settings = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_false(function_settings_read(fixture->control, PF, 256, &settings, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_FAILED);
    g_assert_cmpstr(fault_object(error), ==, "VF 256 of npf0");
    g_assert_nonnull(strstr(error->message, FAKE_FUNCTION_DRIVER));
}

static void
test_reset_leaves_nothing_of_the_last_user(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    *fixture->settings = (FunctionSettings) { .vlan = 9,
                                              .trust = TRUE,
                                              .maximum_rate = 100,
                                              .minimum_rate = 10,
                                              .link_state = FUNCTION_LINK_DISABLE,
                                              .rss_query = TRUE,
                                              .port_guid = 7 };
    memcpy(fixture->settings->mac, guest_mac, sizeof(guest_mac));
    function_settings_reset(fixture->control, PF, INDEX, &error);
    g_assert_no_error(error);
    FunctionSettings clean = { .port_guid = G_MAXUINT64 };
    /* Spoof check off: the driver's own default is not ours to choose. */
    g_assert_cmpmem(fixture->settings, sizeof(clean), &clean, sizeof(clean));
}

static FunctionHandover
hand_over(Fixture *fixture, const char *mac)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE };
    FunctionHandover technique = FUNCTION_HANDOVER_GUEST_MAC;
    g_autoptr(GError) error = NULL;

    function_settings_prepare_handover(fixture->control, PF, INDEX, &wanted, mac, &technique,
                                       &error);
    g_assert_no_error(error);
    g_assert_cmpuint(fixture->settings->vlan, ==, 7);
    return technique;
}

static void
test_guest_chooses_its_mac_where_it_can(Fixture *fixture, gconstpointer unused)
{
    memcpy(fixture->settings->mac, guest_mac, sizeof(guest_mac));
    g_assert_cmpint(hand_over(fixture, GUEST_MAC), ==, FUNCTION_HANDOVER_GUEST_MAC);
    g_assert_cmpmem(fixture->settings->mac, sizeof(no_mac), no_mac, sizeof(no_mac));
    g_assert_true(fixture->settings->trust);
}

static void
test_mac_of_the_functions_own_choice_is_not_taken_for_an_administrative_one(Fixture *fixture,
                                                                            gconstpointer unused)
{
    fake_function_control_own_mac(fixture->fake, own_mac);
    g_assert_cmpint(hand_over(fixture, GUEST_MAC), ==, FUNCTION_HANDOVER_GUEST_MAC);
    g_assert_cmpmem(fixture->settings->mac, sizeof(no_mac), no_mac, sizeof(no_mac));
}

static void
test_driver_without_trust_leaves_the_mac_to_the_guest(Fixture *fixture, gconstpointer unused)
{
    fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_TRUST, -EOPNOTSUPP);
    g_assert_cmpint(hand_over(fixture, GUEST_MAC), ==, FUNCTION_HANDOVER_GUEST_MAC);
}

static void
test_driver_that_ignores_trust_gets_the_guests_mac(Fixture *fixture, gconstpointer unused)
{
    fake_function_control_ignore(fixture->fake, FUNCTION_OPTION_TRUST);
    g_assert_cmpint(hand_over(fixture, GUEST_MAC), ==, FUNCTION_HANDOVER_ADMIN_MAC);
    g_assert_cmpmem(fixture->settings->mac, sizeof(guest_mac), guest_mac, sizeof(guest_mac));
}

/* As be2net, qede and cxgb4 do. */
static gboolean
refuses_zero(FunctionOption option, const FunctionSettings *wanted)
{
    return option == FUNCTION_OPTION_MAC && memcmp(wanted->mac, no_mac, sizeof(no_mac)) == 0;
}

static void
test_driver_that_keeps_its_mac_gets_the_guests(Fixture *fixture, gconstpointer unused)
{
    memcpy(fixture->settings->mac, own_mac, sizeof(own_mac));
    fake_function_control_refuse_if(fixture->fake, refuses_zero);
    g_assert_cmpint(hand_over(fixture, GUEST_MAC), ==, FUNCTION_HANDOVER_ADMIN_MAC);
    g_assert_cmpmem(fixture->settings->mac, sizeof(guest_mac), guest_mac, sizeof(guest_mac));
    g_assert_false(fixture->settings->trust);
}

static void
test_fixed_mac_without_knowing_the_guests_is_refused(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .spoof_check = TRUE };
    FunctionHandover technique = FUNCTION_HANDOVER_GUEST_MAC;
    g_autoptr(GError) error = NULL;

    fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_MAC, -EPERM);
    g_assert_false(function_settings_prepare_handover(fixture->control, PF, INDEX, &wanted, NULL,
                                                      &technique, &error));
    g_assert_nonnull(strstr(error->message, "which is not known"));
}

static void
test_refusal_of_something_else_is_no_reason_for_the_slower_way(Fixture *fixture,
                                                               gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE };
    FunctionHandover technique = FUNCTION_HANDOVER_GUEST_MAC;
    g_autoptr(GError) error = NULL;

    fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_VLAN, -EINVAL);
    g_assert_false(function_settings_prepare_handover(fixture->control, PF, INDEX, &wanted,
                                                      GUEST_MAC, &technique, &error));
    g_assert_nonnull(strstr(error->message, "VLAN 7"));
    g_assert_cmpuint(fake_function_control_count(fixture->fake, FUNCTION_OPTION_VLAN), ==, 1);
}

static void
test_function_in_use_keeps_its_mac_and_gets_the_rest(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE };
    g_autoptr(GError) error = NULL;

    memcpy(fixture->settings->mac, guest_mac, sizeof(guest_mac));
    for (unsigned known = 0; known < 2; known++) {
        if (!known)
            fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_TRUST, -EPERM);
        g_assert_true(
            function_settings_resume_handover(fixture->control, PF, INDEX, &wanted, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(fixture->settings->vlan, ==, 7);
        g_assert_cmpint(fixture->settings->trust, ==, (gboolean)known);
        fake_function_control_refuse(fixture->fake, FUNCTION_OPTION_TRUST, 0);
    }
    g_assert_cmpmem(fixture->settings->mac, sizeof(guest_mac), guest_mac, sizeof(guest_mac));
}

static void
test_json_goes_there_and_back(Fixture *fixture, gconstpointer unused)
{
    FunctionSettings settings = { .vlan = 4094,
                                  .qos = 7,
                                  .vlan_dot1ad = TRUE,
                                  .trust = TRUE,
                                  .link_state = FUNCTION_LINK_DISABLE,
                                  .maximum_rate = 10000,
                                  .rss_query = TRUE,
                                  .node_guid = 0x0011223344556677,
                                  .unreported = FUNCTION_OPTION_BIT(FUNCTION_OPTION_SPOOF_CHECK) };
    FunctionSettings read = { 0 };
    g_autoptr(GError) error = NULL;

    memcpy(settings.mac, guest_mac, sizeof(guest_mac));
    json_auto_t *object = function_settings_to_json(&settings);
    g_assert_cmpstr(json_string_value(json_object_get(object, "macAddress")), ==, GUEST_MAC);
    g_assert_true(function_settings_from_json(object, &read, &error));
    g_assert_cmpmem(&settings, sizeof(settings), &read, sizeof(read));
}

static void
test_json_is_distrusted(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *name;
        const char *text; /* NULL: a number */
        json_int_t number;
    } bad[] = { { "vlan", NULL, 4095 },
                { "qos", NULL, 8 },
                { "maximumRate", NULL, -1 },
                { "minimumRate", NULL, 1LL << 32 },
                { "macAddress", "52:54:00:aa:00", 0 },
                { "linkState", "maybe", 0 },
                { "nodeGuid", "11:22", 0 },
                { "portGuid", "001122334455667g", 0 } };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        json_auto_t *object = function_settings_to_json(fixture->settings);
        FunctionSettings read = { 0 };
        g_autoptr(GError) error = NULL;

        json_object_set_new(object, bad[i].name,
                            bad[i].text ? json_string(bad[i].text) : json_integer(bad[i].number));
        g_assert_false(function_settings_from_json(object, &read, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
        g_assert_cmpstr(fault_object(error), ==, bad[i].name);
    }
}

static void
add(const char *name, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/function-settings/%s", name);

    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("sets-only-what-differs", test_sets_only_what_differs);
    add("writes-no-vlan-where-there-was-one", test_writes_no_vlan_where_there_was_one);
    add("missing-option-does-no-harm", test_missing_option_does_no_harm_while_its_value_is_right);
    add("driver-without-trust-is-accepted", test_driver_without_trust_is_accepted);
    add("unknown-at-the-source-stays-as-it-is", test_unknown_at_the_source_stays_as_it_is);
    add("unreported-switch-is-taken-on-trust", test_unreported_switch_is_taken_on_trust);
    add("each-refusal-puts-back-what-was-changed", test_each_refusal_puts_back_what_was_changed);
    add("silently-ignored-option-is-found-and-all-is-undone",
        test_silently_ignored_option_is_found_and_all_is_undone);
    add("mac-that-cannot-be-cleared-again-is-named",
        test_mac_that_cannot_be_cleared_again_is_named);
    add("undone-vlan-that-stays-is-named", test_undone_vlan_that_stays_is_named);
    add("mac-of-another-function-is-refused", test_mac_of_another_function_is_refused_unasked);
    add("function-beyond-the-list-is-named", test_function_beyond_the_list_is_named);
    add("reset-leaves-nothing-of-the-last-user", test_reset_leaves_nothing_of_the_last_user);
    add("guest-chooses-its-mac-where-it-can", test_guest_chooses_its_mac_where_it_can);
    add("own-mac-is-not-taken-for-an-administrative-one",
        test_mac_of_the_functions_own_choice_is_not_taken_for_an_administrative_one);
    add("driver-without-trust-leaves-the-mac-to-the-guest",
        test_driver_without_trust_leaves_the_mac_to_the_guest);
    add("driver-that-ignores-trust-gets-the-guests-mac",
        test_driver_that_ignores_trust_gets_the_guests_mac);
    add("driver-that-keeps-its-mac-gets-the-guests",
        test_driver_that_keeps_its_mac_gets_the_guests);
    add("fixed-mac-without-knowing-the-guests-is-refused",
        test_fixed_mac_without_knowing_the_guests_is_refused);
    add("other-refusals-do-not-lead-to-the-slower-way",
        test_refusal_of_something_else_is_no_reason_for_the_slower_way);
    add("one-in-use-keeps-its-mac-and-gets-the-rest",
        test_function_in_use_keeps_its_mac_and_gets_the_rest);
    add("json-goes-there-and-back", test_json_goes_there_and_back);
    add("json-is-distrusted", test_json_is_distrusted);
    return g_test_run();
}
