/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells static addresses and routes from given ones. */
#include "netprep/guest/layer3_settings.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>

static void
print_prefix(int family, const struct nlattr *attribute, unsigned length, char *text)
{
    static const struct in6_addr none = IN6ADDR_ANY_INIT;
    char address[INET6_ADDRSTRLEN] = "";

    inet_ntop(family, attribute ? nla_data(attribute) : &none, address, sizeof(address));
    snprintf(text, LAYER3_PREFIX_SIZE, "%s/%u", address, length);
}

static void
on_address(struct nlmsghdr *header, void *data)
{
    Layer3Settings *settings = data;
    const struct ifaddrmsg *address = nlmsg_data(header);
    struct nlattr *local = nlmsg_find_attr(header, sizeof(*address), IFA_LOCAL);
    struct nlattr *wide = nlmsg_find_attr(header, sizeof(*address), IFA_FLAGS);
    const uint32_t flags = wide ? nla_get_u32(wide) : address->ifa_flags;

    if (!local)
        local = nlmsg_find_attr(header, sizeof(*address), IFA_ADDRESS);
    if (!(flags & IFA_F_PERMANENT)) {
        *(address->ifa_family == AF_INET ? &settings->dynamic4 : &settings->dynamic6) = true;
    } else if (!local || settings->address_count == LAYER3_SETTINGS_MAX) {
        settings->left_out++;
    } else {
        Layer3Address *kept = &settings->addresses[settings->address_count++];
        kept->family = address->ifa_family;
        print_prefix(kept->family, local, address->ifa_prefixlen, kept->prefix);
    }
}

/* Routing daemons, servers, routers and the kernel set theirs anew. */
static bool
is_set_by_hand(const struct rtmsg *route)
{
    return route->rtm_type == RTN_UNICAST &&
           (route->rtm_protocol == RTPROT_BOOT || route->rtm_protocol == RTPROT_STATIC ||
            route->rtm_protocol == RTPROT_UNSPEC);
}

static uint32_t
number(struct nlmsghdr *header, int type, uint32_t otherwise)
{
    struct nlattr *attribute = nlmsg_find_attr(header, sizeof(struct rtmsg), type);

    return attribute ? nla_get_u32(attribute) : otherwise;
}

static void
on_route(struct nlmsghdr *header, void *data)
{
    Layer3Settings *settings = data;
    const struct rtmsg *route = nlmsg_data(header);
    struct nlattr *to = nlmsg_find_attr(header, sizeof(*route), RTA_DST);
    struct nlattr *via = nlmsg_find_attr(header, sizeof(*route), RTA_GATEWAY);

    if (!is_set_by_hand(route))
        return;
    if (nlmsg_find_attr(header, sizeof(*route), RTA_MULTIPATH) ||
        settings->route_count == LAYER3_SETTINGS_MAX) {
        settings->left_out++;
        return;
    }
    Layer3Route *kept = &settings->routes[settings->route_count++];
    kept->family = route->rtm_family;
    kept->metric = number(header, RTA_PRIORITY, 0);
    kept->table = number(header, RTA_TABLE, route->rtm_table);
    print_prefix(kept->family, to, route->rtm_dst_len, kept->to);
    if (via)
        inet_ntop(kept->family, nla_data(via), kept->via, sizeof(kept->via));
}

/* dhclient sets its default route as if by hand. */
static void
drop_given_defaults(Layer3Settings *settings)
{
    size_t kept = 0;

    for (size_t i = 0; i < settings->route_count; i++) {
        const Layer3Route *route = &settings->routes[i];
        const bool given = route->family == AF_INET ? settings->dynamic4 : settings->dynamic6;

        if (!given || (strcmp(route->to, "0.0.0.0/0") != 0 && strcmp(route->to, "::/0") != 0))
            settings->routes[kept++] = *route;
    }
    settings->route_count = kept;
}

void
layer3_settings_read(const Layer3 *layer3, Layer3Settings *ret_settings)
{
    *ret_settings = (Layer3Settings) { 0 };
    layer3_visit(layer3, on_address, on_route, ret_settings);
    drop_given_defaults(ret_settings);
}
