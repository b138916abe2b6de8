/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns VF settings into JSON and back, distrusting what comes in. */
#include <inttypes.h>
#include <string.h>

#include "netprep/function_settings.h"
#include "netprep/text_check.h"

#define VLAN_MAX    4094
#define QOS_MAX     7
#define GUID_DIGITS 16
#define REMEDY      "pass the settings as Describe returned them"

static const char *const link_state_names[] = { "auto", "enable", "disable" };

char *
function_mac_to_text(const guint8 *mac)
{
    static const guint8 none[FUNCTION_MAC_BYTES] = { 0 };

    if (memcmp(mac, none, FUNCTION_MAC_BYTES) == 0)
        return NULL;
    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                           mac[5]);
}

gboolean
function_mac_from_text(const char *text, guint8 *ret_mac)
{
    guint8 mac[FUNCTION_MAC_BYTES] = { 0 };

    if (text && !text_is_mac(text))
        return FALSE;
    for (gsize i = 0; text && i < FUNCTION_MAC_BYTES; i++)
        mac[i] = (guint8)(g_ascii_xdigit_value(text[3 * i]) << 4 |
                          g_ascii_xdigit_value(text[3 * i + 1]));
    memcpy(ret_mac, mac, sizeof(mac));
    return TRUE;
}

static json_t *
switch_to_json(const FunctionSettings *settings, FunctionOption option, gboolean value)
{
    return settings->unreported & FUNCTION_OPTION_BIT(option) ? json_null() : json_boolean(value);
}

static json_t *
guid_to_json(guint64 guid)
{
    g_autofree char *text = g_strdup_printf("%016" PRIx64, guid);

    return guid ? json_string(text) : json_null();
}

json_t *
function_settings_to_json(const FunctionSettings *settings)
{
    g_autofree char *mac = function_mac_to_text(settings->mac);

    return json_pack(
        "{s:s?, s:i, s:i, s:s, s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:o}", "macAddress", mac, "vlan",
        (int)settings->vlan, "qos", (int)settings->qos, "vlanProtocol",
        settings->vlan_dot1ad ? "dot1ad" : "dot1q", "spoofCheck",
        switch_to_json(settings, FUNCTION_OPTION_SPOOF_CHECK, settings->spoof_check), "trust",
        switch_to_json(settings, FUNCTION_OPTION_TRUST, settings->trust), "linkState",
        link_state_names[settings->link_state], "minimumRate", (json_int_t)settings->minimum_rate,
        "maximumRate", (json_int_t)settings->maximum_rate, "rssQuery",
        switch_to_json(settings, FUNCTION_OPTION_RSS_QUERY, settings->rss_query), "nodeGuid",
        guid_to_json(settings->node_guid), "portGuid", guid_to_json(settings->port_guid));
}

static gboolean
read_number(const json_t *object, const char *name, unsigned maximum, unsigned *ret_value,
            GError **error)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    if (value < 0 || value > (json_int_t)maximum) {
        fault_set(error, FAULT_INVALID_ARGUMENT, name, REMEDY, "is not within 0-%u", maximum);
        return FALSE;
    }
    *ret_value = (unsigned)value;
    return TRUE;
}

static gboolean
read_switch(const json_t *object, const char *name, FunctionOption option,
            FunctionSettings *settings)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_boolean(value))
        settings->unreported |= FUNCTION_OPTION_BIT(option);
    return json_is_true(value);
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

static gboolean
read_mac(const json_t *object, guint8 *ret_mac, GError **error)
{
    if (function_mac_from_text(json_string_value(json_object_get(object, "macAddress")), ret_mac))
        return TRUE;
    fault_set(error, FAULT_INVALID_ARGUMENT, "macAddress", REMEDY, "is not a MAC address");
    return FALSE;
}

static gboolean
read_guid(const json_t *object, const char *name, guint64 *ret_guid, GError **error)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text && (strlen(text) != GUID_DIGITS || strspn(text, "0123456789abcdef") != GUID_DIGITS)) {
        fault_set(error, FAULT_INVALID_ARGUMENT, name, REMEDY, "is not a GUID");
        return FALSE;
    }
    *ret_guid = text ? g_ascii_strtoull(text, NULL, 16) : 0;
    return TRUE;
}

gboolean
function_settings_from_json(const json_t *object, FunctionSettings *ret_settings, GError **error)
{
    FunctionSettings settings = { 0 };

    settings.vlan_dot1ad =
        g_strcmp0(json_string_value(json_object_get(object, "vlanProtocol")), "dot1ad") == 0;
    settings.spoof_check =
        read_switch(object, "spoofCheck", FUNCTION_OPTION_SPOOF_CHECK, &settings);
    settings.trust = read_switch(object, "trust", FUNCTION_OPTION_TRUST, &settings);
    settings.rss_query = read_switch(object, "rssQuery", FUNCTION_OPTION_RSS_QUERY, &settings);
    if (!read_mac(object, settings.mac, error) ||
        !read_number(object, "vlan", VLAN_MAX, &settings.vlan, error) ||
        !read_number(object, "qos", QOS_MAX, &settings.qos, error) ||
        !read_number(object, "minimumRate", G_MAXUINT32, &settings.minimum_rate, error) ||
        !read_number(object, "maximumRate", G_MAXUINT32, &settings.maximum_rate, error) ||
        !read_link_state(object, &settings.link_state, error) ||
        !read_guid(object, "nodeGuid", &settings.node_guid, error) ||
        !read_guid(object, "portGuid", &settings.port_guid, error))
        return FALSE;
    *ret_settings = settings;
    return TRUE;
}
