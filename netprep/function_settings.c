/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides which VF settings to change, and proves that they took effect. */
#include "netprep/function_settings.h"

#include <errno.h>

#include "common/limits.h"

#define VLAN_MAX 4094
#define QOS_MAX  7

struct FunctionControl {
    const FunctionControlOps *ops;
    void *self;
};

/* Those that can be compared; the MAC cannot. */
static const FunctionOption compared_options[] = {
    FUNCTION_OPTION_VLAN,  FUNCTION_OPTION_SPOOF_CHECK, FUNCTION_OPTION_TRUST,
    FUNCTION_OPTION_RATES, FUNCTION_OPTION_LINK_STATE,
};

static const char *const link_state_names[] = { "auto", "enable", "disable" };

FunctionControl *
function_control_new(const FunctionControlOps *ops, void *self)
{
    FunctionControl *control = g_new0(FunctionControl, 1);

    control->ops = ops;
    control->self = self;
    return control;
}

void
function_control_free(FunctionControl *control)
{
    if (!control)
        return;
    control->ops->free(control->self);
    g_free(control);
}

gboolean
function_settings_read(FunctionControl *control, const char *physical_function, unsigned index,
                       FunctionSettings *ret_settings, GError **error)
{
    return control->ops->read(control->self, physical_function, index, ret_settings, error);
}

static const char *
option_name(FunctionOption option)
{
    switch (option) {
    case FUNCTION_OPTION_MAC:
        return "administrative MAC address";
    case FUNCTION_OPTION_VLAN:
        return "VLAN";
    case FUNCTION_OPTION_SPOOF_CHECK:
        return "spoof check";
    case FUNCTION_OPTION_TRUST:
        return "trust";
    case FUNCTION_OPTION_LINK_STATE:
        return "link state";
    case FUNCTION_OPTION_RATES:
        return "transmit rates";
    }
    g_return_val_if_reached("");
}

static gboolean
option_equal(FunctionOption option, const FunctionSettings *a, const FunctionSettings *b)
{
    switch (option) {
    case FUNCTION_OPTION_MAC:
        return FALSE;
    case FUNCTION_OPTION_VLAN:
        return a->vlan == b->vlan && a->qos == b->qos &&
               (a->vlan_dot1ad == b->vlan_dot1ad || a->vlan == 0);
    case FUNCTION_OPTION_SPOOF_CHECK:
        return a->spoof_check == b->spoof_check;
    case FUNCTION_OPTION_TRUST:
        return a->trust == b->trust;
    case FUNCTION_OPTION_LINK_STATE:
        return a->link_state == b->link_state;
    case FUNCTION_OPTION_RATES:
        return a->minimum_rate == b->minimum_rate && a->maximum_rate == b->maximum_rate;
    }
    g_return_val_if_reached(FALSE);
}

static void
set_refused(const char *physical_function, unsigned index, FunctionOption option, const char *why,
            GError **error)
{
    g_autofree char *object = g_strdup_printf("VF %u of %s", index, physical_function);

    fault_set(error, FAULT_FUNCTION_FAILED, object,
              "use a network card and driver that support this setting, or remove it at the source",
              "the driver does not accept its %s: %s", option_name(option), why);
}

static gboolean
set_option(FunctionControl *control, const char *physical_function, unsigned index,
           FunctionOption option, const FunctionSettings *wanted, GError **error)
{
    int status = control->ops->set(control->self, physical_function, index, option, wanted);

    if (status == 0 || (status == -EOPNOTSUPP && option == FUNCTION_OPTION_TRUST))
        return TRUE;
    set_refused(physical_function, index, option, g_strerror(-status), error);
    return FALSE;
}

static gboolean
check_options(FunctionControl *control, const char *physical_function, unsigned index,
              const FunctionSettings *wanted, GError **error)
{
    FunctionSettings now = { 0 };

    if (!function_settings_read(control, physical_function, index, &now, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(compared_options); i++) {
        FunctionOption option = compared_options[i];

        if (option == FUNCTION_OPTION_TRUST || option_equal(option, &now, wanted))
            continue;
        set_refused(physical_function, index, option, "it was set, but reads back differently",
                    error);
        return FALSE;
    }
    return TRUE;
}

gboolean
function_settings_apply(FunctionControl *control, const char *physical_function, unsigned index,
                        const FunctionSettings *wanted, gboolean clear_mac, GError **error)
{
    FunctionSettings now = { 0 };

    if (!function_settings_read(control, physical_function, index, &now, error))
        return FALSE;
    if (clear_mac &&
        !set_option(control, physical_function, index, FUNCTION_OPTION_MAC, wanted, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(compared_options); i++) {
        FunctionOption option = compared_options[i];

        if (!option_equal(option, &now, wanted) &&
            !set_option(control, physical_function, index, option, wanted, error))
            return FALSE;
    }
    return check_options(control, physical_function, index, wanted, error);
}

gboolean
function_settings_reset(FunctionControl *control, const char *physical_function, unsigned index,
                        GError **error)
{
    FunctionSettings now = { 0 };

    if (!function_settings_read(control, physical_function, index, &now, error))
        return FALSE;
    FunctionSettings clean = { .spoof_check = now.spoof_check };
    return function_settings_apply(control, physical_function, index, &clean, TRUE, error);
}

json_t *
function_settings_to_json(const FunctionSettings *settings)
{
    return json_pack("{s:i, s:i, s:s, s:b, s:b, s:s, s:i, s:i}", "vlan", (int)settings->vlan, "qos",
                     (int)settings->qos, "vlanProtocol", settings->vlan_dot1ad ? "dot1ad" : "dot1q",
                     "spoofCheck", settings->spoof_check, "trust", settings->trust, "linkState",
                     link_state_names[settings->link_state], "minimumRate",
                     (int)settings->minimum_rate, "maximumRate", (int)settings->maximum_rate);
}

static gboolean
read_number(const json_t *object, const char *name, unsigned maximum, unsigned *ret_value,
            GError **error)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    if (value < 0 || value > (json_int_t)maximum) {
        fault_set(error, FAULT_INVALID_ARGUMENT, name,
                  "pass the settings as Describe returned them", "is not within 0-%u", maximum);
        return FALSE;
    }
    *ret_value = (unsigned)value;
    return TRUE;
}

static gboolean
read_link_state(const json_t *object, FunctionLinkState *ret_state, GError **error)
{
    const char *name = json_string_value(json_object_get(object, "linkState"));

    for (gsize i = 0; i < G_N_ELEMENTS(link_state_names); i++) {
        if (g_strcmp0(name, link_state_names[i]) == 0) {
            *ret_state = (FunctionLinkState)i;
            return TRUE;
        }
    }
    fault_set(error, FAULT_INVALID_ARGUMENT, "linkState", "use auto, enable or disable",
              "is not a link state");
    return FALSE;
}

gboolean
function_settings_from_json(const json_t *object, FunctionSettings *ret_settings, GError **error)
{
    FunctionSettings settings = {
        .vlan_dot1ad =
            g_strcmp0(json_string_value(json_object_get(object, "vlanProtocol")), "dot1ad") == 0,
        .spoof_check = json_is_true(json_object_get(object, "spoofCheck")),
        .trust = json_is_true(json_object_get(object, "trust")),
    };

    if (!read_number(object, "vlan", VLAN_MAX, &settings.vlan, error) ||
        !read_number(object, "qos", QOS_MAX, &settings.qos, error) ||
        !read_number(object, "minimumRate", G_MAXINT, &settings.minimum_rate, error) ||
        !read_number(object, "maximumRate", G_MAXINT, &settings.maximum_rate, error) ||
        !read_link_state(object, &settings.link_state, error))
        return FALSE;
    *ret_settings = settings;
    return TRUE;
}
