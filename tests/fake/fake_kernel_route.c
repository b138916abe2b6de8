/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds, compares and prints messages about addresses and routes. */
#include "fake/fake_kernel_route.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <string.h>

#define TICKS_PER_SECOND 100

static struct nlmsghdr *
steal(struct nl_msg *message)
{
    struct nlmsghdr *copy = g_memdup2(nlmsg_hdr(message), nlmsg_hdr(message)->nlmsg_len);

    nlmsg_free(message);
    return copy;
}

static int
size_of(const struct nlmsghdr *header)
{
    gboolean route = header->nlmsg_type == RTM_NEWROUTE || header->nlmsg_type == RTM_DELROUTE;

    return route ? (int)sizeof(struct rtmsg) : (int)sizeof(struct ifaddrmsg);
}

static struct nlattr *
find(struct nlmsghdr *header, int type)
{
    return nlmsg_find_attr(header, size_of(header), type);
}

static guint32
number(struct nlmsghdr *header, int type)
{
    struct nlattr *attribute = find(header, type);

    return attribute ? nla_get_u32(attribute) : 0;
}

struct nlmsghdr *
fake_message_keep(struct nlmsghdr *header, int type)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, 0);
    struct nlattr *attribute = NULL;
    int left = 0;

    nlmsg_append(message, nlmsg_data(header), (size_t)size_of(header), NLMSG_ALIGNTO);
    nlmsg_for_each_attr(attribute, header, size_of(header), left)
    {
        if (type == RTM_NEWROUTE && nla_type(attribute) == RTA_EXPIRES) {
            struct rta_cacheinfo info = { .rta_expires =
                                              (int)nla_get_u32(attribute) * TICKS_PER_SECOND };
            nla_put(message, RTA_CACHEINFO, sizeof(info), &info);
        } else {
            nla_put(message, nla_type(attribute), nla_len(attribute), nla_data(attribute));
        }
    }
    return steal(message);
}

static void
print_hops(GString *text, struct nlattr *multipath, NameOf name_of, const void *data)
{
    const struct rtnexthop *hop = nla_data(multipath);
    int left = nla_len(multipath);

    for (; left >= (int)sizeof(*hop) && RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
        g_string_append_printf(text, " hop %s/%d/%x", name_of(data, hop->rtnh_ifindex),
                               hop->rtnh_hops, hop->rtnh_flags);
        for (guint i = sizeof(*hop); i < hop->rtnh_len; i++)
            g_string_append_printf(text, "%02x", ((const guint8 *)hop)[i]);
        left -= (int)RTNH_ALIGN(hop->rtnh_len);
    }
}

static void
print_attribute(GString *text, struct nlmsghdr *header, struct nlattr *attribute, NameOf name_of,
                const void *data)
{
    const gboolean route = size_of(header) == (int)sizeof(struct rtmsg);
    const int type = nla_type(attribute);
    const guint8 *bytes = nla_data(attribute);

    if (route && type == RTA_OIF) {
        g_string_append_printf(text, " dev %s", name_of(data, (int)nla_get_u32(attribute)));
    } else if (route && type == RTA_MULTIPATH) {
        print_hops(text, attribute, name_of, data);
    } else if (!route && type == IFA_LABEL) {
        g_string_append_printf(text, " label %s", nla_get_string(attribute));
    } else if (!route && type == IFA_FLAGS) {
        g_string_append_printf(text, " flags %x", nla_get_u32(attribute) & ~(guint32)IFA_F_NODAD);
    } else {
        g_string_append_printf(text, " %d=", type);
        for (int i = 0; i < nla_len(attribute); i++)
            g_string_append_printf(text, "%02x", bytes[i]);
    }
}

char *
fake_message_print(struct nlmsghdr *header, NameOf name_of, const void *data)
{
    GString *text = g_string_new(NULL);

    if (size_of(header) == (int)sizeof(struct rtmsg)) {
        const struct rtmsg *route = nlmsg_data(header);
        g_string_append_printf(text, "route /%d type %d table %d protocol %d flags %x",
                               route->rtm_dst_len, route->rtm_type, route->rtm_table,
                               route->rtm_protocol, route->rtm_flags);
    } else {
        const struct ifaddrmsg *address = nlmsg_data(header);
        g_string_append_printf(text, "address %s /%d scope %d",
                               name_of(data, (int)address->ifa_index), address->ifa_prefixlen,
                               address->ifa_scope);
    }
    for (int type = 1; type < 64; type++) {
        if (find(header, type))
            print_attribute(text, header, find(header, type), name_of, data);
    }
    return g_string_free(text, FALSE);
}

static gboolean
attributes_are_same(struct nlmsghdr *one, struct nlmsghdr *other, int type)
{
    struct nlattr *a = find(one, type), *b = find(other, type);

    if (!a || !b)
        return a == b;
    return nla_len(a) == nla_len(b) && memcmp(nla_data(a), nla_data(b), (gsize)nla_len(a)) == 0;
}

gboolean
fake_route_is_same(struct nlmsghdr *one, struct nlmsghdr *other)
{
    const struct rtmsg *a = nlmsg_data(one), *b = nlmsg_data(other);
    static const int types[] = { RTA_DST,   RTA_GATEWAY,  RTA_OIF,
                                 RTA_TABLE, RTA_PRIORITY, RTA_MULTIPATH };

    if (a->rtm_family != b->rtm_family || a->rtm_dst_len != b->rtm_dst_len)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (!attributes_are_same(one, other, types[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean
fake_route_needs_way(struct nlmsghdr *route)
{
    const struct rtmsg *message = nlmsg_data(route);

    return find(route, RTA_GATEWAY) && !(message->rtm_flags & RTNH_F_ONLINK);
}

gboolean
fake_route_reaches(struct nlmsghdr *other, struct nlmsghdr *route)
{
    const struct rtmsg *prefix = nlmsg_data(other), *message = nlmsg_data(route);
    struct nlattr *to = find(other, RTA_DST), *gateway = find(route, RTA_GATEWAY);

    if (!to || !gateway || prefix->rtm_family != message->rtm_family ||
        number(other, RTA_OIF) != number(route, RTA_OIF))
        return FALSE;
    const guint8 *a = nla_data(to), *b = nla_data(gateway);
    for (int bit = 0; bit < prefix->rtm_dst_len; bit++) {
        if ((a[bit / 8] ^ b[bit / 8]) >> (7 - bit % 8) & 1)
            return FALSE;
    }
    return TRUE;
}

gboolean
fake_route_is_from(struct nlmsghdr *route, struct nlmsghdr *address)
{
    struct nlattr *source = find(route, RTA_PREFSRC), *local = find(address, IFA_LOCAL);

    return source && local && nla_len(source) == nla_len(local) &&
           memcmp(nla_data(source), nla_data(local), (gsize)nla_len(local)) == 0;
}

struct nlmsghdr *
fake_route_of_address(struct nlmsghdr *address)
{
    const struct ifaddrmsg *from = nlmsg_data(address);
    struct nlattr *local = find(address, IFA_LOCAL);
    struct rtmsg route = { .rtm_family = from->ifa_family,
                           .rtm_dst_len = from->ifa_prefixlen,
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = RTPROT_KERNEL,
                           .rtm_scope = RT_SCOPE_LINK,
                           .rtm_type = RTN_UNICAST };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWROUTE, 0);
    guint8 prefix[16] = { 0 };

    for (int bit = 0; bit < from->ifa_prefixlen; bit++)
        prefix[bit / 8] |= ((const guint8 *)nla_data(local))[bit / 8] & (0x80 >> bit % 8);
    nlmsg_append(message, &route, sizeof(route), NLMSG_ALIGNTO);
    nla_put_u32(message, RTA_TABLE, RT_TABLE_MAIN);
    nla_put(message, RTA_DST, nla_len(local), prefix);
    nla_put_u32(message, RTA_OIF, from->ifa_index);
    nla_put(message, RTA_PREFSRC, nla_len(local), nla_data(local));
    return steal(message);
}

static int
parse(const char *text, guint8 *ret_bytes, int *ret_family)
{
    *ret_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    g_assert_cmpint(inet_pton(*ret_family, text, ret_bytes), ==, 1);
    return *ret_family == AF_INET ? 4 : 16;
}

static int
parse_prefix(const char *text, guint8 *ret_bytes, int *ret_family, guint8 *ret_length)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);

    *ret_length = (guint8)g_ascii_strtoull(parts[1], NULL, 10);
    return parse(parts[0], ret_bytes, ret_family);
}

struct nlmsghdr *
fake_address_new(const char *text, int index, const char *label, unsigned flags,
                 unsigned lifetime_seconds)
{
    guint8 bytes[16], length;
    int family, size = parse_prefix(text, bytes, &family, &length);
    struct ifaddrmsg address = { .ifa_family = (guint8)family,
                                 .ifa_prefixlen = length,
                                 .ifa_flags = (guint8)flags,
                                 .ifa_index = (guint32)index };
    struct ifa_cacheinfo life = { .ifa_prefered = lifetime_seconds ? lifetime_seconds : G_MAXUINT,
                                  .ifa_valid = lifetime_seconds ? lifetime_seconds : G_MAXUINT };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, 0);

    nlmsg_append(message, &address, sizeof(address), NLMSG_ALIGNTO);
    nla_put(message, IFA_LOCAL, size, bytes);
    nla_put(message, IFA_ADDRESS, size, bytes);
    if (label)
        nla_put_string(message, IFA_LABEL, label);
    nla_put(message, IFA_CACHEINFO, sizeof(life), &life);
    nla_put_u32(message, IFA_FLAGS, flags);
    return steal(message);
}

static void
put_address(struct nl_msg *message, int type, const char *text)
{
    guint8 bytes[16];
    int family, size = text ? parse(text, bytes, &family) : 0;

    if (text)
        nla_put(message, type, size, bytes);
}

static void
put_hop(GByteArray *hops, int index, const char *via)
{
    guint8 bytes[16];
    int family, size = parse(via, bytes, &family);
    struct rtnexthop hop = { .rtnh_len = (guint16)(sizeof(hop) + NLA_HDRLEN + (gsize)size),
                             .rtnh_ifindex = index };
    struct nlattr gateway = { .nla_len = (guint16)(NLA_HDRLEN + size), .nla_type = RTA_GATEWAY };

    g_byte_array_append(hops, (const guint8 *)&hop, sizeof(hop));
    g_byte_array_append(hops, (const guint8 *)&gateway, sizeof(gateway));
    g_byte_array_append(hops, bytes, (guint)size);
}

struct nlmsghdr *
fake_route_new(const FakeRoute *wanted, int index, int index2)
{
    struct rtmsg route = { .rtm_table = (guint8)(wanted->table ? wanted->table : RT_TABLE_MAIN),
                           .rtm_protocol = (guint8)wanted->protocol,
                           .rtm_type = RTN_UNICAST,
                           .rtm_flags = wanted->flags };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWROUTE, 0);
    g_autoptr(GByteArray) hops = g_byte_array_new();
    guint8 bytes[16];
    int family = AF_INET, size = 0;

    if (wanted->to)
        size = parse_prefix(wanted->to, bytes, &family, &route.rtm_dst_len);
    else
        family = strchr(wanted->via, ':') ? AF_INET6 : AF_INET;
    route.rtm_family = (guint8)family;
    nlmsg_append(message, &route, sizeof(route), NLMSG_ALIGNTO);
    nla_put_u32(message, RTA_TABLE, route.rtm_table);
    if (wanted->to)
        nla_put(message, RTA_DST, size, bytes);
    if (wanted->name2) {
        put_hop(hops, index, wanted->via);
        put_hop(hops, index2, wanted->via2);
        nla_put(message, RTA_MULTIPATH, (int)hops->len, hops->data);
    } else {
        nla_put_u32(message, RTA_OIF, (guint32)index);
        put_address(message, RTA_GATEWAY, wanted->via);
    }
    put_address(message, RTA_PREFSRC, wanted->source);
    if (wanted->metric)
        nla_put_u32(message, RTA_PRIORITY, wanted->metric);
    if (wanted->seconds) {
        struct rta_cacheinfo info = { .rta_expires = (int)wanted->seconds * TICKS_PER_SECOND };
        nla_put(message, RTA_CACHEINFO, sizeof(info), &info);
    }
    return steal(message);
}
