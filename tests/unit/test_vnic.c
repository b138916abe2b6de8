/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vNICs: described from libvirt and the VF's settings, and checked when they come from outside. */
#include "common/limits.h"
#include "fake/network_fixture.h"
#include "netprep/vnic.h"

static GPtrArray *
describe(NetworkFixture *fixture, GError **error)
{
    g_autoptr(GuestView) view = guest_view_read(fixture->host->hypervisor, FIXTURE_UUID, error);

    g_assert_nonnull(view);
    return vnics_describe(fixture->host, view, error);
}

static void
test_describes_a_passthrough_function(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();
    g_autoptr(GError) error = NULL;

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, TRUE);
    fake_function_control_settings(fixture->control, 0)->vlan = 12;
    g_autoptr(GPtrArray) vnics = describe(fixture, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(vnics->len, ==, 1);
    const Vnic *vnic = vnics->pdata[0];
    g_assert_cmpstr(vnic->alias, ==, "hostdev0");
    g_assert_cmpstr(vnic->function, ==, FIXTURE_VF);
    g_assert_cmpstr(vnic->guest_address, ==, "0000:00:04.0");
    g_assert_cmpstr(vnic->guest_path, ==, "04.0");
    g_assert_cmpstr(vnic->physical_network, ==, "blue");
    g_assert_cmpuint(vnic->settings.vlan, ==, 12);
    g_assert_nonnull(vnic->configuration);
    g_assert_cmpint(vnic->configuration->form, ==, VNIC_FORM_HOSTDEV);
}

static void
test_guest_without_functions_has_no_vnics(void)
{
    g_autoptr(NetworkFixture) fixture = network_fixture_new();

    network_fixture_add_guest(fixture, GUEST_STATE_RUNNING, FALSE);
    g_autoptr(GPtrArray) vnics = describe(fixture, NULL);
    g_assert_cmpuint(vnics->len, ==, 0);
}

static json_t *
sample(void)
{
    VnicShape shape = { .form = VNIC_FORM_NETWORK,
                        .alias = "ua-vf",
                        .mac = "52:54:00:aa:00:01",
                        .network = "pool",
                        .port_group = "gold",
                        .teaming = "ua-net0",
                        .guest_address = "0000:00:04.0",
                        .vlan = 12,
                        .boot_order = 2,
                        .index = 3,
                        .rom_off = TRUE };
    Vnic vnic = { .alias = "hostdev0",
                  .function = FIXTURE_VF,
                  .form = VNIC_FORM_INTERFACE,
                  .guest_address = "0000:00:04.0",
                  .guest_path = "02.3/00.0",
                  .mac = "52:54:00:aa:00:01",
                  .physical_network = "blue",
                  .bond = "bond0",
                  .backup = "eth0",
                  .configuration = &shape };

    return vnic_to_json(&vnic);
}

static void
test_json_goes_there_and_back(void)
{
    json_auto_t *object = sample();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vnic) vnic = vnic_from_json(object, &error);

    g_assert_no_error(error);
    json_auto_t *again = vnic_to_json(vnic);
    g_assert_true(json_equal(object, again));
}

static void
test_values_that_cannot_be_are_refused(void)
{
    static const struct {
        const char *field;
        const char *value;
    } cases[] = {
        { "function", "0000:01:10" },
        { "function", "../../etc" },
        { "guestAddress", "0000:00:04.8" },
        { "guestPath", "02.3/" },
        { "guestPath", "2.3" },
        { "macAddress", "52:54:00:aa:00" },
        { "macAddress", "52:54:00:aa:00:0g" },
        { "bond", "name-that-is-too-long" },
        { "bond", "a/b" },
        { "bond", "-x" },
        { "bond", "" },
        { "backup", ".." },
        { "form", "usb" },
        { "physicalNetwork", "a\nb" },
        { "alias", "a\x01" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_auto_t *object = sample();
        g_autoptr(GError) error = NULL;

        json_object_set_new(object, cases[i].field, json_string(cases[i].value));
        g_assert_null(vnic_from_json(object, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    }
}

static void
test_configurations_that_cannot_be_are_refused(void)
{
    const struct {
        const char *field;
        json_t *value;
    } cases[] = {
        { "form", json_string("usb") },       { "macAddress", json_string("x") },
        { "network", json_string("a\nb") },   { "network", json_null() },
        { "guestAddress", json_string("4") }, { "vlan", json_integer(4095) },
        { "index", json_integer(-1) },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        json_auto_t *object = sample();
        g_autoptr(GError) error = NULL;

        json_object_set_new(json_object_get(object, "configuration"), cases[i].field,
                            cases[i].value);
        g_assert_null(vnic_from_json(object, &error));
        g_assert_error(error, FAULT, FAULT_INVALID_ARGUMENT);
    }
}

static void
test_number_of_vnics_is_bounded(void)
{
    json_auto_t *array = json_array();
    g_autoptr(GError) error = NULL;

    g_assert_null(vnics_from_json(array, &error));
    g_assert_error(error, FAULT, FAULT_LIMIT_EXCEEDED);
    g_clear_error(&error);
    for (unsigned i = 0; i < LIMIT_VNICS; i++)
        json_array_append_new(array, sample());
    g_autoptr(GPtrArray) vnics = vnics_from_json(array, &error);
    g_assert_cmpuint(vnics->len, ==, LIMIT_VNICS);
    json_array_append_new(array, sample());
    g_assert_null(vnics_from_json(array, &error));
    g_assert_error(error, FAULT, FAULT_LIMIT_EXCEEDED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vnic/describes-a-passthrough-function",
                    test_describes_a_passthrough_function);
    g_test_add_func("/vnic/guest-without-functions-has-no-vnics",
                    test_guest_without_functions_has_no_vnics);
    g_test_add_func("/vnic/json-goes-there-and-back", test_json_goes_there_and_back);
    g_test_add_func("/vnic/values-that-cannot-be-are-refused",
                    test_values_that_cannot_be_are_refused);
    g_test_add_func("/vnic/configurations-that-cannot-be-are-refused",
                    test_configurations_that_cannot_be_are_refused);
    g_test_add_func("/vnic/number-of-vnics-is-bounded", test_number_of_vnics_is_bounded);
    return g_test_run();
}
