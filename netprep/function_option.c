/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, compares and copies single options. */
#include "netprep/function_option.h"

#include <inttypes.h>
#include <string.h>

static const char *const link_state_names[] = { "auto", "enable", "disable" };

static const char *
on_off(gboolean value)
{
    return value ? "on" : "off";
}

static char *
describe_mac(const FunctionSettings *settings)
{
    g_autofree char *mac = function_mac_to_text(settings->mac);

    return mac ? g_strdup_printf("administrative MAC address %s", mac)
               : g_strdup("removal of the administrative MAC address");
}

static char *
describe_vlan(const FunctionSettings *settings)
{
    if (settings->vlan == 0 && settings->qos == 0)
        return g_strdup("removal of the VLAN");
    return g_strdup_printf("VLAN %u (priority %u, %s)", settings->vlan, settings->qos,
                           settings->vlan_dot1ad ? "802.1ad" : "802.1Q");
}

char *
function_option_describe(FunctionOption option, const FunctionSettings *settings)
{
    switch (option) {
    case FUNCTION_OPTION_MAC:
        return describe_mac(settings);
    case FUNCTION_OPTION_VLAN:
        return describe_vlan(settings);
    case FUNCTION_OPTION_SPOOF_CHECK:
        return g_strdup_printf("spoof check %s", on_off(settings->spoof_check));
    case FUNCTION_OPTION_TRUST:
        return g_strdup_printf("trust %s", on_off(settings->trust));
    case FUNCTION_OPTION_LINK_STATE:
        return g_strdup_printf("link state %s", link_state_names[settings->link_state]);
    case FUNCTION_OPTION_RATES:
        return g_strdup_printf("transmit rates (minimum %u, maximum %u Mbit/s)",
                               settings->minimum_rate, settings->maximum_rate);
    case FUNCTION_OPTION_RSS_QUERY:
        return g_strdup_printf("RSS query %s", on_off(settings->rss_query));
    case FUNCTION_OPTION_NODE_GUID:
        return g_strdup_printf("node GUID %016" PRIx64, settings->node_guid);
    case FUNCTION_OPTION_PORT_GUID:
        return g_strdup_printf("port GUID %016" PRIx64, settings->port_guid);
    }
    g_return_val_if_reached(NULL);
}

/* Without a VLAN there is no protocol to compare. */
static gboolean
vlan_equal(const FunctionSettings *a, const FunctionSettings *b)
{
    return a->vlan == b->vlan && a->qos == b->qos &&
           (a->vlan_dot1ad == b->vlan_dot1ad || a->vlan == 0);
}

gboolean
function_option_equal(FunctionOption option, const FunctionSettings *a, const FunctionSettings *b)
{
    switch (option) {
    case FUNCTION_OPTION_MAC:
        return memcmp(a->mac, b->mac, FUNCTION_MAC_BYTES) == 0;
    case FUNCTION_OPTION_VLAN:
        return vlan_equal(a, b);
    case FUNCTION_OPTION_SPOOF_CHECK:
        return a->spoof_check == b->spoof_check;
    case FUNCTION_OPTION_TRUST:
        return a->trust == b->trust;
    case FUNCTION_OPTION_LINK_STATE:
        return a->link_state == b->link_state;
    case FUNCTION_OPTION_RATES:
        return a->minimum_rate == b->minimum_rate && a->maximum_rate == b->maximum_rate;
    case FUNCTION_OPTION_RSS_QUERY:
        return a->rss_query == b->rss_query;
    case FUNCTION_OPTION_NODE_GUID:
        return a->node_guid == b->node_guid;
    case FUNCTION_OPTION_PORT_GUID:
        return a->port_guid == b->port_guid;
    }
    g_return_val_if_reached(FALSE);
}

static void
copy_vlan(const FunctionSettings *from, FunctionSettings *to)
{
    to->vlan = from->vlan;
    to->qos = from->qos;
    to->vlan_dot1ad = from->vlan_dot1ad;
}

void
function_option_copy(FunctionOption option, const FunctionSettings *from, FunctionSettings *to)
{
    switch (option) {
    case FUNCTION_OPTION_MAC:
        memcpy(to->mac, from->mac, FUNCTION_MAC_BYTES);
        break;
    case FUNCTION_OPTION_VLAN:
        copy_vlan(from, to);
        break;
    case FUNCTION_OPTION_SPOOF_CHECK:
        to->spoof_check = from->spoof_check;
        break;
    case FUNCTION_OPTION_TRUST:
        to->trust = from->trust;
        break;
    case FUNCTION_OPTION_LINK_STATE:
        to->link_state = from->link_state;
        break;
    case FUNCTION_OPTION_RATES:
        to->minimum_rate = from->minimum_rate;
        to->maximum_rate = from->maximum_rate;
        break;
    case FUNCTION_OPTION_RSS_QUERY:
        to->rss_query = from->rss_query;
        break;
    case FUNCTION_OPTION_NODE_GUID:
        to->node_guid = from->node_guid;
        break;
    case FUNCTION_OPTION_PORT_GUID:
        to->port_guid = from->port_guid;
        break;
    }
}
