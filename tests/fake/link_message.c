/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells about a network device. */
#include "fake/link_message.h"

#include <glib.h>
#include <linux/if_arp.h>
#include <linux/if_bonding.h>
#include <linux/rtnetlink.h>

static void
put_bond(struct nl_msg *message, const Link *link)
{
    struct nlattr *linkinfo = nla_nest_start(message, IFLA_LINKINFO);

    nla_put_string(message, IFLA_INFO_KIND, "bond");
    struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
    for (BondOption option = 0; option < BOND_OPTION_COUNT; option++) {
        const guint32 value = link->bond.options[option];
        const guint8 byte = (guint8)value;
        const int width = bond_option_width(option);

        nla_put(message, bond_option_attribute(option), width,
                width == 1 ? (const void *)&byte : &value);
    }
    nla_put_u32(message, IFLA_BOND_ACTIVE_SLAVE, (guint32)link->bond.active);
    nla_put_u32(message, IFLA_BOND_PRIMARY, (guint32)link->bond.primary);
    nla_nest_end(message, data);
    nla_nest_end(message, linkinfo);
}

static void
put_port(struct nl_msg *message, const Link *link)
{
    struct nlattr *linkinfo = nla_nest_start(message, IFLA_LINKINFO);

    nla_put_string(message, IFLA_INFO_SLAVE_KIND, "bond");
    struct nlattr *data = nla_nest_start(message, IFLA_INFO_SLAVE_DATA);
    nla_put_u8(message, IFLA_BOND_SLAVE_MII_STATUS,
               link->port_usable ? BOND_LINK_UP : BOND_LINK_DOWN);
    nla_nest_end(message, data);
    nla_nest_end(message, linkinfo);
}

static void
put_xdp(struct nl_msg *message, const Link *link)
{
    struct nlattr *xdp = nla_nest_start(message, IFLA_XDP);

    nla_put_u8(message, IFLA_XDP_ATTACHED, link->has_xdp ? XDP_ATTACHED_DRV : XDP_ATTACHED_NONE);
    nla_nest_end(message, xdp);
}

struct nl_msg *
link_message_new(const Link *link)
{
    struct ifinfomsg info = { .ifi_index = link->index,
                              .ifi_type = ARPHRD_ETHER,
                              .ifi_flags = link->up ? IFF_UP : 0 };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);

    nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO);
    nla_put_string(message, IFLA_IFNAME, link->name);
    nla_put(message, IFLA_ADDRESS, ETH_ALEN, link->mac);
    nla_put(message, IFLA_PERM_ADDRESS, ETH_ALEN, link->permanent_mac);
    nla_put_u32(message, IFLA_MTU, link->mtu);
    nla_put_u8(message, IFLA_CARRIER, link->up);
    put_xdp(message, link);
    if (link->master)
        nla_put_u32(message, IFLA_MASTER, (guint32)link->master);
    if (link->lower)
        nla_put_u32(message, IFLA_LINK, (guint32)link->lower);
    if (link->is_bond)
        put_bond(message, link);
    else if (link->master)
        put_port(message, link);
    return message;
}
