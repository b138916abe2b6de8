/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks lengths before anything is read. */
#include "netprep/guest/layer3_message.h"

#include <linux/if_addr.h>
#include <netinet/in.h>

static bool
is_of_type(const struct nlmsghdr *header, int type, size_t size)
{
    return header->nlmsg_type == type && header->nlmsg_len >= NLMSG_LENGTH(size);
}

/* The length of an address; 0 for other families. */
static uint16_t
address_bytes(int family)
{
    return family == AF_INET    ? sizeof(struct in_addr)
           : family == AF_INET6 ? sizeof(struct in6_addr)
                                : 0;
}

bool
layer3_message_is_address(struct nlmsghdr *header)
{
    const struct ifaddrmsg *address = nlmsg_data(header);

    if (!is_of_type(header, RTM_NEWADDR, sizeof(*address)))
        return false;
    const uint16_t bytes = address_bytes(address->ifa_family);
    const struct nla_policy policy[IFA_MAX + 1] = {
        [IFA_ADDRESS] = { .minlen = bytes },
        [IFA_LOCAL] = { .minlen = bytes },
        [IFA_LABEL] = { .type = NLA_STRING },
        [IFA_FLAGS] = { .type = NLA_U32 },
    };
    return bytes > 0 && nlmsg_validate(header, sizeof(*address), IFA_MAX, policy) >= 0;
}

bool
layer3_message_is_route(struct nlmsghdr *header)
{
    const struct rtmsg *route = nlmsg_data(header);

    if (!is_of_type(header, RTM_NEWROUTE, sizeof(*route)))
        return false;
    const uint16_t bytes = address_bytes(route->rtm_family);
    const struct nla_policy policy[RTA_MAX + 1] = {
        [RTA_DST] = { .minlen = bytes },   [RTA_GATEWAY] = { .minlen = bytes },
        [RTA_OIF] = { .type = NLA_U32 },   [RTA_PRIORITY] = { .type = NLA_U32 },
        [RTA_TABLE] = { .type = NLA_U32 },
    };
    return bytes > 0 && nlmsg_validate(header, sizeof(*route), RTA_MAX, policy) >= 0;
}
