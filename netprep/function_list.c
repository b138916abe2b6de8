/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads IFLA_VFINFO_LIST. */
#include "netprep/function_list.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>

static const struct nla_policy vf_policy[IFLA_VF_MAX + 1] = {
    [IFLA_VF_MAC] = { .minlen = sizeof(struct ifla_vf_mac) },
    [IFLA_VF_VLAN] = { .minlen = sizeof(struct ifla_vf_vlan) },
    [IFLA_VF_VLAN_LIST] = { .type = NLA_NESTED },
    [IFLA_VF_TX_RATE] = { .minlen = sizeof(struct ifla_vf_tx_rate) },
    [IFLA_VF_SPOOFCHK] = { .minlen = sizeof(struct ifla_vf_spoofchk) },
    [IFLA_VF_TRUST] = { .minlen = sizeof(struct ifla_vf_trust) },
    [IFLA_VF_LINK_STATE] = { .minlen = sizeof(struct ifla_vf_link_state) },
    [IFLA_VF_RATE] = { .minlen = sizeof(struct ifla_vf_rate) },
    [IFLA_VF_RSS_QUERY_EN] = { .minlen = sizeof(struct ifla_vf_rss_query_en) },
    [IFLA_VF_IB_NODE_GUID] = { .minlen = sizeof(struct ifla_vf_guid) },
    [IFLA_VF_IB_PORT_GUID] = { .minlen = sizeof(struct ifla_vf_guid) },
};

static void
read_vlan(struct nlattr **attributes, FunctionSettings *settings)
{
    if (attributes[IFLA_VF_VLAN_LIST]) {
        struct nlattr *entry = NULL;
        int left = 0;

        nla_for_each_nested(entry, attributes[IFLA_VF_VLAN_LIST], left)
        {
            if (nla_len(entry) < (int)sizeof(struct ifla_vf_vlan_info))
                continue;
            const struct ifla_vf_vlan_info *info = nla_data(entry);
            settings->vlan = info->vlan;
            settings->qos = info->qos;
            settings->vlan_dot1ad = info->vlan_proto == g_htons(ETH_P_8021AD);
            return;
        }
    }
    if (attributes[IFLA_VF_VLAN]) {
        const struct ifla_vf_vlan *info = nla_data(attributes[IFLA_VF_VLAN]);
        settings->vlan = info->vlan;
        settings->qos = info->qos;
    }
}

/* Spoof check, trust and RSS query share their layout; all ones means that the driver is silent. */
static gboolean
read_switch(const struct nlattr *attribute, FunctionOption option, FunctionSettings *settings)
{
    const struct ifla_vf_trust *info = attribute ? nla_data(attribute) : NULL;

    if (info && info->setting != G_MAXUINT32)
        return info->setting != 0;
    settings->unreported |= FUNCTION_OPTION_BIT(option);
    return FALSE;
}

static guint64
read_guid(const struct nlattr *attribute)
{
    struct ifla_vf_guid info = { 0 };

    if (attribute)
        memcpy(&info, nla_data(attribute), sizeof(info));
    return info.guid;
}

static void
read_link_state(const struct nlattr *attribute, FunctionSettings *settings)
{
    const struct ifla_vf_link_state *info = attribute ? nla_data(attribute) : NULL;

    if (info && info->link_state <= FUNCTION_LINK_DISABLE)
        settings->link_state = (FunctionLinkState)info->link_state;
}

static void
read_rates(struct nlattr **attributes, FunctionSettings *settings)
{
    if (attributes[IFLA_VF_RATE]) {
        const struct ifla_vf_rate *info = nla_data(attributes[IFLA_VF_RATE]);
        settings->minimum_rate = info->min_tx_rate;
        settings->maximum_rate = info->max_tx_rate;
    } else if (attributes[IFLA_VF_TX_RATE]) { /* its form from before minimum rates */
        const struct ifla_vf_tx_rate *info = nla_data(attributes[IFLA_VF_TX_RATE]);
        settings->maximum_rate = info->rate;
    }
}

static void
append_function(struct nlattr **attributes, GArray *entries)
{
    const struct ifla_vf_mac *mac = nla_data(attributes[IFLA_VF_MAC]);
    FunctionEntry entry = { .index = mac->vf };
    FunctionSettings *settings = &entry.settings;

    memcpy(settings->mac, mac->mac, FUNCTION_MAC_BYTES);
    read_vlan(attributes, settings);
    read_rates(attributes, settings);
    read_link_state(attributes[IFLA_VF_LINK_STATE], settings);
    settings->spoof_check =
        read_switch(attributes[IFLA_VF_SPOOFCHK], FUNCTION_OPTION_SPOOF_CHECK, settings);
    settings->trust = read_switch(attributes[IFLA_VF_TRUST], FUNCTION_OPTION_TRUST, settings);
    settings->rss_query =
        read_switch(attributes[IFLA_VF_RSS_QUERY_EN], FUNCTION_OPTION_RSS_QUERY, settings);
    settings->node_guid = read_guid(attributes[IFLA_VF_IB_NODE_GUID]);
    settings->port_guid = read_guid(attributes[IFLA_VF_IB_PORT_GUID]);
    g_array_append_val(entries, entry);
}

/* The list's own length may have wrapped, even to nothing, so it is not checked. */
static struct nlattr *
find_list(struct nlmsghdr *header)
{
    struct nlattr *attribute = nlmsg_attrdata(header, sizeof(struct ifinfomsg));
    int left = nlmsg_attrlen(header, sizeof(struct ifinfomsg));

    while (left >= NLA_HDRLEN) {
        if (nla_type(attribute) == IFLA_VFINFO_LIST)
            return attribute;
        if (!nla_ok(attribute, left))
            return NULL;
        attribute = nla_next(attribute, &left);
    }
    return NULL;
}

void
function_list_parse(struct nlmsghdr *header, GArray *entries)
{
    struct nlattr *list = find_list(header);

    if (!list)
        return;
    struct nlattr *entry = nla_data(list);
    int left = (int)((char *)header + header->nlmsg_len - (char *)entry);
    while (nla_ok(entry, left) && nla_type(entry) == IFLA_VF_INFO) {
        struct nlattr *attributes[IFLA_VF_MAX + 1];

        if (nla_parse_nested(attributes, IFLA_VF_MAX, entry, vf_policy) >= 0 &&
            attributes[IFLA_VF_MAC])
            append_function(attributes, entries);
        entry = nla_next(entry, &left);
    }
}
