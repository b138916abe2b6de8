/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every FunctionControl does, asserted of the fake and of a real PF: each option either takes
 * effect, as read back, or is refused by name with all as it was before. The real PF is named by
 * MIGPREP_TEST_PF, and a VF of it that nobody uses, by its index, by MIGPREP_TEST_VF.
 */
#include <errno.h>
#include <string.h>

#include "fake/fake_function_control.h"
#include "netprep/function_option.h"

#define FAKE_PF "npf0"
#define FAKE_VF 3
#define MAC     "02:00:00:5e:77:01"

typedef struct {
    FunctionControl *control;
    FakeFunctionControl *fake; /* NULL: the kernel's */
    const char *physical_function;
    unsigned index, other; /* VFs that nobody uses */
    char *driver;
} Side;

typedef struct {
    const char *name;
    FunctionOption option;
    FunctionSettings wanted;
} Choice;

static const Choice choices[] = {
    { "vlan", FUNCTION_OPTION_VLAN, { .vlan = 7, .qos = 3, .spoof_check = TRUE } },
    { "vlan-of-802.1ad",
      FUNCTION_OPTION_VLAN,
      { .vlan = 7, .vlan_dot1ad = TRUE, .spoof_check = TRUE } },
    { "spoof-check-off", FUNCTION_OPTION_SPOOF_CHECK, { .spoof_check = FALSE } },
    { "trust", FUNCTION_OPTION_TRUST, { .spoof_check = TRUE, .trust = TRUE } },
    { "link-state",
      FUNCTION_OPTION_LINK_STATE,
      { .spoof_check = TRUE, .link_state = FUNCTION_LINK_ENABLE } },
    { "maximum-rate", FUNCTION_OPTION_RATES, { .spoof_check = TRUE, .maximum_rate = 100 } },
    { "minimum-rate",
      FUNCTION_OPTION_RATES,
      { .spoof_check = TRUE, .minimum_rate = 10, .maximum_rate = 100 } },
    { "rss-query", FUNCTION_OPTION_RSS_QUERY, { .spoof_check = TRUE, .rss_query = TRUE } },
};

static FunctionSettings
settings_of(const Side *side, unsigned index)
{
    FunctionSettings settings = { 0 };
    g_autoptr(GError) error = NULL;

    function_settings_read(side->control, side->physical_function, index, &settings, &error);
    g_assert_no_error(error);
    return settings;
}

static void
reset(const Side *side, unsigned index)
{
    FunctionSettings clean = { .spoof_check = TRUE };
    g_autoptr(GError) error = NULL;

    g_assert_true(function_settings_reset(side->control, side->physical_function, index, &error));
    g_assert_true(function_settings_apply(side->control, side->physical_function, index, &clean,
                                          FALSE, &error));
}

/* Like igb's: no link state, no 802.1ad, no minimum rate. */
static gboolean
refused_by_igb(FunctionOption option, const FunctionSettings *wanted)
{
    return wanted->vlan_dot1ad || wanted->minimum_rate > 0;
}

static void
set_up_fake(Side *side, gconstpointer unused)
{
    side->fake = fake_function_control_new();
    side->control = fake_function_control_get(side->fake);
    side->physical_function = FAKE_PF;
    side->index = FAKE_VF;
    side->other = FAKE_VF - 1;
    side->driver = g_strdup(FAKE_FUNCTION_DRIVER);
    fake_function_control_refuse(side->fake, FUNCTION_OPTION_LINK_STATE, -EOPNOTSUPP);
    fake_function_control_refuse_if(side->fake, refused_by_igb);
}

static void
set_up_real(Side *side, gconstpointer unused)
{
    const char *index = g_getenv("MIGPREP_TEST_VF");

    side->physical_function = g_getenv("MIGPREP_TEST_PF");
    g_assert_nonnull(index);
    side->index = (unsigned)g_ascii_strtoull(index, NULL, 10);
    g_assert_cmpuint(side->index, >, 0);
    side->other = side->index - 1;
    side->control = function_control_new_netlink();
    g_autofree char *link =
        g_build_filename("/sys/class/net", side->physical_function, "device/driver", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    side->driver = g_path_get_basename(target);
    reset(side, side->index);
}

static void
tear_down(Side *side, gconstpointer unused)
{
    if (!side->fake) {
        reset(side, side->index);
        reset(side, side->other);
    }
    function_control_free(side->control);
    g_free(side->driver);
}

/* All but the MAC, which without an administrative one is the VF's own business. */
static void
assert_same(FunctionSettings a, FunctionSettings b)
{
    for (FunctionOption option = FUNCTION_OPTION_VLAN; option < FUNCTION_OPTIONS; option++)
        g_assert_true(function_option_equal(option, &a, &b));
}

static void
assert_names(const Side *side, const Choice *choice, const GError *error)
{
    g_autofree char *option = function_option_describe(choice->option, &choice->wanted);
    g_autofree char *object = g_strdup_printf("VF %u of %s", side->index, side->physical_function);
    g_autofree char *cause =
        g_strdup_printf("driver %s does not accept its %s: ", side->driver, option);

    g_assert_error(error, FAULT, FAULT_FUNCTION_FAILED);
    g_assert_cmpstr(fault_object(error), ==, object);
    g_assert_nonnull(strstr(fault_cause(error), cause));
}

/* Says which of the two it was, for whoever knows what this driver can. */
static void
test_each_option_takes_effect_or_is_refused_by_name(Side *side, gconstpointer unused)
{
    for (gsize i = 0; i < G_N_ELEMENTS(choices); i++) {
        const Choice *choice = &choices[i];
        FunctionSettings before = settings_of(side, side->index);
        g_autoptr(GError) error = NULL;
        gboolean taken = function_settings_apply(side->control, side->physical_function,
                                                 side->index, &choice->wanted, FALSE, &error);
        FunctionSettings now = settings_of(side, side->index);

        g_test_message("%s: %s", choice->name, taken ? "taken" : error->message);
        if (!taken) {
            assert_names(side, choice, error);
            assert_same(now, before);
            continue;
        }
        g_assert_true((now.unreported & FUNCTION_OPTION_BIT(choice->option)) ||
                      function_option_equal(choice->option, &now, &choice->wanted));
        reset(side, side->index);
        assert_same(settings_of(side, side->index), before);
    }
}

/* A VLAN that is taken, and a link state that is not: both or none. */
static void
test_refusal_of_one_undoes_the_others(Side *side, gconstpointer unused)
{
    FunctionSettings wanted = {
        .vlan = 7, .spoof_check = FALSE, .trust = TRUE, .link_state = FUNCTION_LINK_ENABLE
    };
    FunctionSettings before = settings_of(side, side->index);
    g_autoptr(GError) error = NULL;

    if (function_settings_apply(side->control, side->physical_function, side->index, &wanted, FALSE,
                                &error)) {
        g_test_skip("this driver refuses none of them");
        return;
    }
    g_assert_error(error, FAULT, FAULT_FUNCTION_FAILED);
    assert_same(settings_of(side, side->index), before);
}

static void
test_hand_over_leaves_the_mac_to_the_guest(Side *side, gconstpointer unused)
{
    FunctionSettings wanted = { .vlan = 7, .spoof_check = TRUE }, admin = { .spoof_check = TRUE };
    FunctionHandover technique = FUNCTION_HANDOVER_ADMIN_MAC;
    g_autoptr(GError) error = NULL;

    g_assert_true(function_mac_from_text(MAC, admin.mac));
    g_assert_true(function_settings_apply(side->control, side->physical_function, side->index,
                                          &admin, TRUE, &error));
    g_assert_true(function_settings_prepare_handover(
        side->control, side->physical_function, side->index, &wanted, MAC, &technique, &error));
    FunctionSettings now = settings_of(side, side->index);
    g_assert_cmpuint(now.vlan, ==, 7);
    if (technique == FUNCTION_HANDOVER_GUEST_MAC)
        g_assert_false(function_option_equal(FUNCTION_OPTION_MAC, &now, &admin));
    else
        g_assert_true(function_option_equal(FUNCTION_OPTION_MAC, &now, &admin));
    g_test_message("hand-over: %s",
                   technique == FUNCTION_HANDOVER_GUEST_MAC ? "by the guest" : "by the PF");
}

static void
test_no_two_functions_get_one_mac(Side *side, gconstpointer unused)
{
    FunctionSettings admin = { .spoof_check = TRUE };
    g_autoptr(GError) error = NULL;

    g_assert_true(function_mac_from_text(MAC, admin.mac));
    g_assert_true(function_settings_apply(side->control, side->physical_function, side->other,
                                          &admin, TRUE, &error));
    g_assert_false(function_settings_apply(side->control, side->physical_function, side->index,
                                           &admin, TRUE, &error));
    g_assert_error(error, FAULT, FAULT_FUNCTION_BUSY);
    g_autofree char *holder = g_strdup_printf("VF %u of %s", side->other, side->physical_function);
    g_assert_nonnull(strstr(fault_cause(error), holder));
    FunctionSettings now = settings_of(side, side->index);
    g_assert_false(function_option_equal(FUNCTION_OPTION_MAC, &now, &admin));
}

static void
add(const char *side, const char *name, void (*set_up)(Side *, gconstpointer),
    void (*test)(Side *, gconstpointer))
{
    g_autofree char *path = g_strdup_printf("/%s/%s", side, name);

    g_test_add(path, Side, NULL, set_up, test, tear_down);
}

static void
add_all(const char *side, void (*set_up)(Side *, gconstpointer))
{
    add(side, "each-option-takes-effect-or-is-refused-by-name", set_up,
        test_each_option_takes_effect_or_is_refused_by_name);
    add(side, "refusal-of-one-undoes-the-others", set_up, test_refusal_of_one_undoes_the_others);
    add(side, "hand-over-leaves-the-mac-to-the-guest", set_up,
        test_hand_over_leaves_the_mac_to_the_guest);
    add(side, "no-two-functions-get-one-mac", set_up, test_no_two_functions_get_one_mac);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_all("fake", set_up_fake);
    if (g_getenv("MIGPREP_TEST_PF")) /* as tests/lab/run settings does, on a host that has one */
        add_all("real", set_up_real);
    return g_test_run();
}
