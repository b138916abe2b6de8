/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and replays addresses and routes. */
#include "netprep/guest/layer3.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/rtnetlink.h"

#define MESSAGES_MAX 4096

typedef struct {
    struct nlmsghdr **items;
    size_t count;
} Messages;

struct Layer3 {
    int index; /* of the device it was read from */
    Messages addresses;
    Messages routes;
    bool failed;
};

static void
keep(Layer3 *layer3, Messages *messages, const struct nlmsghdr *header)
{
    struct nlmsghdr **grown = NULL;
    struct nlmsghdr *copy = NULL;

    if (messages->count < MESSAGES_MAX) {
        grown = realloc(messages->items, (messages->count + 1) * sizeof(struct nlmsghdr *));
        copy = malloc(header->nlmsg_len);
    }
    if (grown)
        messages->items = grown;
    if (!grown || !copy) {
        free(copy);
        layer3->failed = true;
        return;
    }
    memcpy(copy, header, header->nlmsg_len);
    messages->items[messages->count++] = copy;
}

static void
on_address(struct nlmsghdr *header, void *data)
{
    Layer3 *layer3 = data;
    const struct ifaddrmsg *address = nlmsg_data(header);

    if (header->nlmsg_type != RTM_NEWADDR || (int)address->ifa_index != layer3->index ||
        address->ifa_scope == RT_SCOPE_LINK ||
        (address->ifa_flags & IFA_F_TEMPORARY && address->ifa_family == AF_INET6))
        return;
    keep(layer3, &layer3->addresses, header);
}

static bool
is_made_anew(const struct rtmsg *route)
{
    return route->rtm_type != RTN_UNICAST || route->rtm_protocol == RTPROT_KERNEL ||
           route->rtm_protocol == RTPROT_RA || route->rtm_table == RT_TABLE_LOCAL ||
           route->rtm_flags & RTM_F_CLONED;
}

static void
on_route(struct nlmsghdr *header, void *data)
{
    Layer3 *layer3 = data;
    const struct rtmsg *route = nlmsg_data(header);
    struct nlattr *device = nlmsg_find_attr(header, sizeof(*route), RTA_OIF);

    if (header->nlmsg_type != RTM_NEWROUTE || is_made_anew(route) || !device ||
        (int)nla_get_u32(device) != layer3->index)
        return;
    keep(layer3, &layer3->routes, header);
}

static int
dump(int type, RtnetlinkReply reply, Layer3 *layer3)
{
    struct rtgenmsg all = { .rtgen_family = AF_UNSPEC };
    struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_DUMP);

    if (!message || nlmsg_append(message, &all, sizeof(all), NLMSG_ALIGNTO) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return rtnetlink_query(message, reply, layer3);
}

Layer3 *
layer3_read(const Link *link, Failure *failure)
{
    Layer3 *layer3 = calloc(1, sizeof(*layer3));
    int status = -ENOMEM;

    if (layer3) {
        layer3->index = link->index;
        status = dump(RTM_GETADDR, on_address, layer3);
        if (status == 0)
            status = dump(RTM_GETROUTE, on_route, layer3);
        if (layer3->failed)
            status = -ENOMEM;
    }
    if (status == 0)
        return layer3;
    failure_set(failure, "addresses and routes of %s cannot be read: %s", link->name,
                strerror(-status));
    layer3_free(layer3);
    return NULL;
}

static void
clear(Messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        free(messages->items[i]);
    free(messages->items);
}

void
layer3_free(Layer3 *layer3)
{
    if (!layer3)
        return;
    clear(&layer3->addresses);
    clear(&layer3->routes);
    free(layer3);
}

/* Copies all attributes but those of the device and of the moment. */
static int
copy_attributes(struct nl_msg *message, struct nlmsghdr *header, int family_size, int skip,
                int skip_too)
{
    struct nlattr *attribute = NULL;
    int left = 0;

    nlmsg_for_each_attr(attribute, header, family_size, left)
    {
        if (nla_type(attribute) == skip || nla_type(attribute) == skip_too)
            continue;
        if (nla_put(message, nla_type(attribute), nla_len(attribute), nla_data(attribute)) < 0)
            return -1;
    }
    return 0;
}

/* A label has to begin with the device's name. */
static int
change_address(struct nlmsghdr *header, int type, int flags, int index)
{
    struct ifaddrmsg address = *(const struct ifaddrmsg *)nlmsg_data(header);
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);

    address.ifa_index = (uint32_t)index;
    if (!message || nlmsg_append(message, &address, sizeof(address), NLMSG_ALIGNTO) < 0 ||
        copy_attributes(message, header, sizeof(address), IFA_LABEL, IFA_LABEL) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return rtnetlink_change(message);
}

static int
add_route(struct nlmsghdr *header, int index)
{
    struct rtmsg route = *(const struct rtmsg *)nlmsg_data(header);
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);

    route.rtm_flags = 0;
    if (!message || nlmsg_append(message, &route, sizeof(route), NLMSG_ALIGNTO) < 0 ||
        copy_attributes(message, header, sizeof(route), RTA_OIF, RTA_CACHEINFO) < 0 ||
        nla_put_u32(message, RTA_OIF, (uint32_t)index) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return rtnetlink_change(message);
}

bool
layer3_remove(const Layer3 *layer3, const Link *link, Failure *failure)
{
    for (size_t i = 0; i < layer3->addresses.count; i++) {
        int status = change_address(layer3->addresses.items[i], RTM_DELADDR, 0, link->index);

        if (status < 0 && status != -EADDRNOTAVAIL) {
            failure_set(failure, "an address of %s cannot be removed: %s", link->name,
                        strerror(-status));
            return false;
        }
    }
    return true;
}

/* Routes through a gateway need the route to that gateway. */
static bool
add_routes(const Layer3 *layer3, const Link *link, bool through_gateway, Failure *failure)
{
    for (size_t i = 0; i < layer3->routes.count; i++) {
        struct nlmsghdr *header = layer3->routes.items[i];
        bool has_gateway = nlmsg_find_attr(header, sizeof(struct rtmsg), RTA_GATEWAY) != NULL;
        int status = has_gateway == through_gateway ? add_route(header, link->index) : 0;

        if (status < 0 && status != -EEXIST) {
            failure_set(failure, "a route cannot be moved to %s: %s", link->name,
                        strerror(-status));
            return false;
        }
    }
    return true;
}

bool
layer3_add(const Layer3 *layer3, const Link *link, Failure *failure)
{
    for (size_t i = 0; i < layer3->addresses.count; i++) {
        int status = change_address(layer3->addresses.items[i], RTM_NEWADDR,
                                    NLM_F_CREATE | NLM_F_REPLACE, link->index);

        if (status < 0 && status != -EEXIST) {
            failure_set(failure, "an address cannot be moved to %s: %s", link->name,
                        strerror(-status));
            return false;
        }
    }
    return add_routes(layer3, link, false, failure) && add_routes(layer3, link, true, failure);
}
