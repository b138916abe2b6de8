/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and sets VF settings by rtnetlink, for one PF at a time. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>

#include "netprep/function_settings.h"
#include "netprep/rtnetlink.h"

/*
 * Theory of operation. The kernel reports VFs only together with their PF, at a cost of up to 2 ms
 * per VF under the RTNL lock, so it is asked about one PF and without statistics, and only when a
 * VF's settings are needed; the inventory of VFs comes from sysfs. The list's length has 16 bits,
 * which is why a VF beyond some 300 may be missing from it: that is reported, not guessed over.
 */
typedef struct {
    unsigned index;
    gboolean found;
    FunctionSettings settings;
} VfQuery;

/* What a driver does not know is reported as all ones. */
static gboolean
switched_on(guint32 setting)
{
    return setting != 0 && setting != G_MAXUINT32;
}

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

static void
read_vf(struct nlattr **attributes, FunctionSettings *settings)
{
    read_vlan(attributes, settings);
    if (attributes[IFLA_VF_SPOOFCHK]) {
        const struct ifla_vf_spoofchk *info = nla_data(attributes[IFLA_VF_SPOOFCHK]);
        settings->spoof_check = switched_on(info->setting);
    }
    if (attributes[IFLA_VF_TRUST]) {
        const struct ifla_vf_trust *info = nla_data(attributes[IFLA_VF_TRUST]);
        settings->trust = switched_on(info->setting);
    }
    if (attributes[IFLA_VF_LINK_STATE]) {
        const struct ifla_vf_link_state *info = nla_data(attributes[IFLA_VF_LINK_STATE]);
        settings->link_state = info->link_state <= FUNCTION_LINK_DISABLE
                                   ? (FunctionLinkState)info->link_state
                                   : FUNCTION_LINK_AUTO;
    }
    if (attributes[IFLA_VF_RATE]) {
        const struct ifla_vf_rate *info = nla_data(attributes[IFLA_VF_RATE]);
        settings->minimum_rate = info->min_tx_rate;
        settings->maximum_rate = info->max_tx_rate;
    }
}

static const struct nla_policy vf_policy[IFLA_VF_MAX + 1] = {
    [IFLA_VF_MAC] = { .minlen = sizeof(struct ifla_vf_mac) },
    [IFLA_VF_VLAN] = { .minlen = sizeof(struct ifla_vf_vlan) },
    [IFLA_VF_VLAN_LIST] = { .type = NLA_NESTED },
    [IFLA_VF_SPOOFCHK] = { .minlen = sizeof(struct ifla_vf_spoofchk) },
    [IFLA_VF_TRUST] = { .minlen = sizeof(struct ifla_vf_trust) },
    [IFLA_VF_LINK_STATE] = { .minlen = sizeof(struct ifla_vf_link_state) },
    [IFLA_VF_RATE] = { .minlen = sizeof(struct ifla_vf_rate) },
};

static void
on_link(struct nlmsghdr *header, void *data)
{
    VfQuery *query = data;
    struct nlattr *list = nlmsg_find_attr(header, sizeof(struct ifinfomsg), IFLA_VFINFO_LIST);
    struct nlattr *entry = NULL;
    int left = 0;

    if (!list)
        return;
    nla_for_each_nested(entry, list, left)
    {
        struct nlattr *attributes[IFLA_VF_MAX + 1];

        if (nla_parse_nested(attributes, IFLA_VF_MAX, entry, vf_policy) < 0 ||
            !attributes[IFLA_VF_MAC])
            continue;
        const struct ifla_vf_mac *mac = nla_data(attributes[IFLA_VF_MAC]);
        if (mac->vf != query->index)
            continue;
        read_vf(attributes, &query->settings);
        query->found = TRUE;
        return;
    }
}

static gboolean
netlink_read(void *self, const char *physical_function, unsigned index,
             FunctionSettings *ret_settings, GError **error)
{
    g_autofree char *object = g_strdup_printf("VF %u of %s", index, physical_function);
    VfQuery query = { .index = index };
    struct nl_msg *message = rtnetlink_link_message(RTM_GETLINK, 0, 0, physical_function);

    if (!message ||
        nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS) < 0)
        g_error("out of memory");
    int status = rtnetlink_query(message, on_link, &query);
    if (status < 0) {
        fault_set(error, FAULT_FUNCTION_FAILED, object,
                  "check that the network card is still there", "its settings cannot be read: %s",
                  g_strerror(-status));
        return FALSE;
    }
    if (!query.found) {
        fault_set(error, FAULT_FUNCTION_FAILED, object,
                  "use a VF with a lower index: the kernel lists about 300 at most",
                  "the kernel does not list its settings");
        return FALSE;
    }
    *ret_settings = query.settings;
    return TRUE;
}

static int
put_vlan(struct nl_msg *message, unsigned index, const FunctionSettings *wanted)
{
    struct ifla_vf_vlan plain = { .vf = index, .vlan = wanted->vlan, .qos = wanted->qos };
    struct ifla_vf_vlan_info outer = {
        .vf = index, .vlan = wanted->vlan, .qos = wanted->qos, .vlan_proto = g_htons(ETH_P_8021AD)
    };

    if (!wanted->vlan_dot1ad || wanted->vlan == 0)
        return nla_put(message, IFLA_VF_VLAN, sizeof(plain), &plain);
    struct nlattr *list = nla_nest_start(message, IFLA_VF_VLAN_LIST);
    if (!list || nla_put(message, IFLA_VF_VLAN_INFO, sizeof(outer), &outer) < 0)
        return -1;
    return nla_nest_end(message, list);
}

static int
put_option(struct nl_msg *message, unsigned index, FunctionOption option,
           const FunctionSettings *wanted)
{
    struct ifla_vf_mac mac = { .vf = index };
    struct ifla_vf_spoofchk spoof_check = { .vf = index, .setting = wanted->spoof_check };
    struct ifla_vf_trust trust = { .vf = index, .setting = wanted->trust };
    struct ifla_vf_link_state link_state = { .vf = index, .link_state = wanted->link_state };
    struct ifla_vf_rate rate = { .vf = index,
                                 .min_tx_rate = wanted->minimum_rate,
                                 .max_tx_rate = wanted->maximum_rate };

    switch (option) {
    case FUNCTION_OPTION_MAC:
        return nla_put(message, IFLA_VF_MAC, sizeof(mac), &mac);
    case FUNCTION_OPTION_VLAN:
        return put_vlan(message, index, wanted);
    case FUNCTION_OPTION_SPOOF_CHECK:
        return nla_put(message, IFLA_VF_SPOOFCHK, sizeof(spoof_check), &spoof_check);
    case FUNCTION_OPTION_TRUST:
        return nla_put(message, IFLA_VF_TRUST, sizeof(trust), &trust);
    case FUNCTION_OPTION_LINK_STATE:
        return nla_put(message, IFLA_VF_LINK_STATE, sizeof(link_state), &link_state);
    case FUNCTION_OPTION_RATES:
        return nla_put(message, IFLA_VF_RATE, sizeof(rate), &rate);
    }
    g_return_val_if_reached(-1);
}

static int
netlink_set(void *self, const char *physical_function, unsigned index, FunctionOption option,
            const FunctionSettings *wanted)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_SETLINK, 0, 0, physical_function);
    struct nlattr *list = message ? nla_nest_start(message, IFLA_VFINFO_LIST) : NULL;
    struct nlattr *info = list ? nla_nest_start(message, IFLA_VF_INFO) : NULL;

    if (!info || put_option(message, index, option, wanted) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    nla_nest_end(message, info);
    nla_nest_end(message, list);
    return rtnetlink_change(message);
}

static void
netlink_free(void *self)
{
}

FunctionControl *
function_control_new_netlink(void)
{
    static const FunctionControlOps ops = {
        .read = netlink_read,
        .set = netlink_set,
        .free = netlink_free,
    };

    return function_control_new(&ops, NULL);
}
