/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rewrites the devices of routes. */
#include "netprep/guest/layer3_route.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define TICKS_PER_SECOND 100 /* USER_HZ, in which the kernel tells how long a route still lives */

static bool
is_link_local(struct nlmsghdr *header)
{
    const struct rtmsg *route = nlmsg_data(header);
    struct nlattr *to = nlmsg_find_attr(header, sizeof(*route), RTA_DST);

    return route->rtm_family == AF_INET6 && to && nla_len(to) == (int)sizeof(struct in6_addr) &&
           IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)nla_data(to));
}

/* NetworkManager's own prefix routes carry the kernel's protocol number, so they are not told apart
 * from the kernel's; adding one that the address brought along already does no harm. */
bool
layer3_route_is_kept(struct nlmsghdr *header)
{
    const struct rtmsg *route = nlmsg_data(header);

    if (route->rtm_type != RTN_UNICAST && route->rtm_type != RTN_MULTICAST)
        return false;
    return route->rtm_table != RT_TABLE_LOCAL && !(route->rtm_flags & RTM_F_CLONED) &&
           !(route->rtm_protocol == RTPROT_KERNEL && is_link_local(header));
}

/* Calls for each hop of a multipath route; the attribute is the kernel's, or a copy of it. RTNH_OK
 * reads the hop's length even if nothing is left. */
#define FOR_EACH_HOP(hop, left, attribute)                                                         \
    for ((hop) = nla_data(attribute), (left) = nla_len(attribute);                                 \
         (left) >= (int)sizeof(*(hop)) && RTNH_OK((hop), (left));                                  \
         (left) -= (int)RTNH_ALIGN((hop)->rtnh_len), (hop) = RTNH_NEXT(hop))

bool
layer3_route_uses(struct nlmsghdr *header, int index)
{
    struct nlattr *device = nlmsg_find_attr(header, sizeof(struct rtmsg), RTA_OIF);
    struct nlattr *multipath = nlmsg_find_attr(header, sizeof(struct rtmsg), RTA_MULTIPATH);
    struct rtnexthop *hop = NULL;
    int left = 0;

    if (device && (int)nla_get_u32(device) == index)
        return true;
    if (!multipath)
        return false;
    FOR_EACH_HOP(hop, left, multipath)
    {
        if (hop->rtnh_ifindex == index)
            return true;
    }
    return false;
}

static int
mapped(int index, const int *from, size_t count, int to)
{
    for (size_t i = 0; to && i < count; i++) {
        if (from[i] == index)
            return to;
    }
    return index;
}

static int
put_multipath(struct nl_msg *message, const struct nlattr *attribute, const int *from, size_t count,
              int to)
{
    struct nlattr *copy = nla_reserve(message, RTA_MULTIPATH, nla_len(attribute));
    struct rtnexthop *hop = NULL;
    int left = 0;

    if (!copy)
        return -1;
    memcpy(nla_data(copy), nla_data(attribute), (size_t)nla_len(attribute));
    FOR_EACH_HOP(hop, left, copy)
    {
        hop->rtnh_ifindex = mapped(hop->rtnh_ifindex, from, count, to);
        hop->rtnh_flags &= RTNH_F_ONLINK; /* the others are the kernel's findings */
    }
    return 0;
}

/* How long it still lives is told in one attribute and set with another. */
static int
put_lifetime(struct nl_msg *message, const struct nlattr *attribute)
{
    const struct rta_cacheinfo *info = nla_data(attribute);

    if (nla_len(attribute) < (int)sizeof(*info) || info->rta_expires <= 0)
        return 0;
    return nla_put_u32(message, RTA_EXPIRES,
                       ((uint32_t)info->rta_expires + TICKS_PER_SECOND - 1) / TICKS_PER_SECOND);
}

static int
put_attribute(struct nl_msg *message, const struct nlattr *attribute, const int *from, size_t count,
              int to)
{
    switch (nla_type(attribute)) {
    case RTA_OIF:
        return nla_put_u32(message, RTA_OIF,
                           (uint32_t)mapped((int)nla_get_u32(attribute), from, count, to));
    case RTA_MULTIPATH:
        return put_multipath(message, attribute, from, count, to);
    case RTA_CACHEINFO:
        return put_lifetime(message, attribute);
    case RTA_NH_ID: /* the object goes with its device */
    case RTA_IIF:
        return 0;
    default:
        return nla_put(message, attribute->nla_type, nla_len(attribute), nla_data(attribute));
    }
}

struct nl_msg *
layer3_route_message(struct nlmsghdr *header, int type, int flags, const int *from, size_t count,
                     int to)
{
    struct rtmsg route = *(const struct rtmsg *)nlmsg_data(header);
    struct nl_msg *message = nlmsg_alloc_size(header->nlmsg_len + NLMSG_HDRLEN + 64);
    struct nlattr *attribute = NULL;
    int left = 0, status = 0;

    if (!message || !nlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags)) {
        nlmsg_free(message);
        return NULL;
    }
    route.rtm_flags &= RTNH_F_ONLINK;
    status = nlmsg_append(message, &route, sizeof(route), NLMSG_ALIGNTO);
    nlmsg_for_each_attr(attribute, header, sizeof(route), left)
    {
        if (status >= 0)
            status = put_attribute(message, attribute, from, count, to);
    }
    if (status >= 0)
        return message;
    nlmsg_free(message);
    return NULL;
}
