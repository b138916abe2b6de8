/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and replays addresses and routes. */
#include "netprep/guest/layer3.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/guest/layer3_message.h"
#include "netprep/guest/layer3_route.h"

#define MESSAGES_MAX 4096
#define READS_MAX    5

typedef struct {
    struct nlmsghdr **items;
    size_t count;
} Messages;

typedef struct {
    int index;
    char name[IFNAMSIZ];
} Device;

struct Layer3 {
    Device devices[LAYER3_DEVICES_MAX];
    size_t device_count;
    Messages addresses;
    Messages routes;
    int failed; /* negative errno */
};

static void
keep(Layer3 *layer3, Messages *messages, const struct nlmsghdr *header)
{
    struct nlmsghdr **grown = NULL;
    struct nlmsghdr *copy = NULL;

    if (messages->count == MESSAGES_MAX) {
        layer3->failed = -E2BIG;
        return;
    }
    grown = realloc(messages->items, (messages->count + 1) * sizeof(struct nlmsghdr *));
    copy = malloc(header->nlmsg_len);
    if (grown)
        messages->items = grown;
    if (!grown || !copy) {
        free(copy);
        layer3->failed = -ENOMEM;
        return;
    }
    memcpy(copy, header, header->nlmsg_len);
    messages->items[messages->count++] = copy;
}

static const Device *
find_device(const Layer3 *layer3, uint32_t index)
{
    for (size_t i = 0; i < layer3->device_count; i++) {
        if (layer3->devices[i].index == (int)index)
            return &layer3->devices[i];
    }
    return NULL;
}

/* Every device that is up gets an IPv6 link-local address of its own. */
static void
on_address(struct nlmsghdr *header, void *data)
{
    Layer3 *layer3 = data;
    const struct ifaddrmsg *address = nlmsg_data(header);

    if (!layer3_message_is_address(header) || !find_device(layer3, address->ifa_index) ||
        (address->ifa_family == AF_INET6 && address->ifa_scope == RT_SCOPE_LINK))
        return;
    keep(layer3, &layer3->addresses, header);
}

static void
on_route(struct nlmsghdr *header, void *data)
{
    Layer3 *layer3 = data;

    if (!layer3_message_is_route(header) || !layer3_route_is_kept(header))
        return;
    for (size_t i = 0; i < layer3->device_count; i++) {
        if (layer3_route_uses(header, layer3->devices[i].index)) {
            keep(layer3, &layer3->routes, header);
            return;
        }
    }
}

static int
dump(const Kernel *kernel, int type, const void *request, size_t size, RtnetlinkReply reply,
     Layer3 *layer3)
{
    struct nl_msg *message = nlmsg_alloc_simple(type, NLM_F_DUMP);

    if (!message || nlmsg_append(message, (void *)request, size, NLMSG_ALIGNTO) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return kernel->query(kernel, message, reply, layer3);
}

static void
clear(Messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        free(messages->items[i]);
    free(messages->items);
    *messages = (Messages) { 0 };
}

static int
dump_all(const Kernel *kernel, Layer3 *layer3)
{
    const struct ifaddrmsg all_addresses = { .ifa_family = AF_UNSPEC };
    const struct rtmsg all_routes = { .rtm_family = AF_UNSPEC };

    clear(&layer3->addresses);
    clear(&layer3->routes);
    int status =
        dump(kernel, RTM_GETADDR, &all_addresses, sizeof(all_addresses), on_address, layer3);
    if (status == 0)
        status = dump(kernel, RTM_GETROUTE, &all_routes, sizeof(all_routes), on_route, layer3);
    return layer3->failed ? layer3->failed : status;
}

Layer3 *
layer3_read(const Kernel *kernel, const Link *const *links, size_t count, Failure *failure)
{
    Layer3 *layer3 = calloc(1, sizeof(*layer3));
    int status = layer3 ? -EINTR : -ENOMEM;

    for (size_t i = 0; layer3 && i < count && i < LAYER3_DEVICES_MAX; i++) {
        Device *device = &layer3->devices[layer3->device_count++];
        device->index = links[i]->index;
        memcpy(device->name, links[i]->name, sizeof(device->name));
    }
    for (int tries = 0; tries < READS_MAX && status == -EINTR; tries++)
        status = dump_all(kernel, layer3);
    if (status == 0)
        return layer3;
    failure_set(failure, "addresses and routes cannot be read: %s", strerror(-status));
    layer3_free(layer3);
    return NULL;
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

bool
layer3_has_addresses(const Layer3 *layer3, size_t number)
{
    for (size_t i = 0; i < layer3->addresses.count; i++) {
        const struct ifaddrmsg *address = nlmsg_data(layer3->addresses.items[i]);

        if ((int)address->ifa_index == layer3->devices[number].index)
            return true;
    }
    return false;
}

/* "eth0:web" is "bond0:web" on bond0; a label that is not the device's is kept. */
static int
put_label(struct nl_msg *message, const char *label, const Device *from, const char *to)
{
    const size_t length = strlen(from->name);
    char text[2 * IFNAMSIZ];

    if (!to || strncmp(label, from->name, length) != 0 || (label[length] && label[length] != ':'))
        return nla_put_string(message, IFA_LABEL, label);
    snprintf(text, sizeof(text), "%s%.*s", to, IFNAMSIZ, label + length);
    return nla_put_string(message, IFA_LABEL, strlen(text) < IFNAMSIZ ? text : to);
}

/* An address that has been found unique is: looking again would take it out of use for a second. */
static uint32_t
address_flags(const struct ifaddrmsg *address, const struct nlattr *attribute)
{
    uint32_t flags = attribute ? nla_get_u32(attribute) : address->ifa_flags;

    if (address->ifa_family == AF_INET6 && !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
        flags |= IFA_F_NODAD;
    return flags;
}

static int
put_address(struct nl_msg *message, struct nlmsghdr *header, const Device *from, const Link *to)
{
    struct ifaddrmsg address = *(const struct ifaddrmsg *)nlmsg_data(header);
    struct nlattr *flags = nlmsg_find_attr(header, sizeof(address), IFA_FLAGS);
    struct nlattr *attribute = NULL;
    int left = 0, status = 0;

    if (to)
        address.ifa_index = (uint32_t)to->index;
    status = nlmsg_append(message, &address, sizeof(address), NLMSG_ALIGNTO);
    nlmsg_for_each_attr(attribute, header, sizeof(address), left)
    {
        if (status < 0)
            break;
        if (nla_type(attribute) == IFA_LABEL)
            status = put_label(message, nla_get_string(attribute), from, to ? to->name : NULL);
        else if (nla_type(attribute) != IFA_FLAGS)
            status = nla_put(message, nla_type(attribute), nla_len(attribute), nla_data(attribute));
    }
    return status < 0 ? status : nla_put_u32(message, IFA_FLAGS, address_flags(&address, flags));
}

/* @to NULL: the device it was read from. */
static int
change_address(const Kernel *kernel, const Layer3 *layer3, struct nlmsghdr *header, int type,
               int flags, const Link *to)
{
    const struct ifaddrmsg *address = nlmsg_data(header);
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);

    if (!message || put_address(message, header, find_device(layer3, address->ifa_index), to) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return kernel->change(kernel, message);
}

/* @to 0: as it was. */
static int
change_route(const Kernel *kernel, const Layer3 *layer3, struct nlmsghdr *header, int type,
             int flags, int to)
{
    int from[LAYER3_DEVICES_MAX] = { 0 };

    for (size_t i = 0; to && i < layer3->device_count; i++)
        from[i] = layer3->devices[i].index;
    struct nl_msg *message =
        layer3_route_message(header, type, flags, from, LAYER3_DEVICES_MAX, to);
    return message ? kernel->change(kernel, message) : -ENOMEM;
}

/* What a device that went down or an address that was removed took along is gone already. */
bool
layer3_remove(const Kernel *kernel, const Layer3 *layer3, Failure *failure)
{
    int status = 0;

    for (size_t i = 0; i < layer3->routes.count; i++) {
        status = change_route(kernel, layer3, layer3->routes.items[i], RTM_DELROUTE, 0, 0);
        if (status < 0 && status != -ESRCH && status != -ENODEV) {
            failure_set(failure, "a route cannot be removed: %s", strerror(-status));
            return false;
        }
    }
    for (size_t i = 0; i < layer3->addresses.count; i++) {
        status = change_address(kernel, layer3, layer3->addresses.items[i], RTM_DELADDR, 0, NULL);
        if (status < 0 && status != -EADDRNOTAVAIL) {
            failure_set(failure, "an address cannot be removed: %s", strerror(-status));
            return false;
        }
    }
    return true;
}

static bool
add_addresses(const Kernel *kernel, const Layer3 *layer3, const Link *to, Failure *failure)
{
    bool added = true;

    for (size_t i = 0; i < layer3->addresses.count && (added || !to); i++) {
        int status = change_address(kernel, layer3, layer3->addresses.items[i], RTM_NEWADDR,
                                    NLM_F_CREATE | NLM_F_REPLACE, to);

        if (status == 0 || status == -EEXIST)
            continue;
        failure_set(failure, "an address cannot be set: %s", strerror(-status));
        added = false;
    }
    return added;
}

/* What the kernel says while the way to a route's gateway is not there yet. */
static bool
is_too_early(int status)
{
    return status == -ENETUNREACH || status == -EHOSTUNREACH || status == -EINVAL;
}

/* One pass over the routes that are still missing; their number, or a negative errno. Appended, not
 * replaced: a route of another device to the same place is none of ours. */
static int
add_missing_routes(const Kernel *kernel, const Layer3 *layer3, const Link *to, bool *added)
{
    int missing = 0, failed = 0;

    for (size_t i = 0; i < layer3->routes.count && (!failed || !to); i++) {
        int status = 0;

        if (added[i])
            continue;
        status = change_route(kernel, layer3, layer3->routes.items[i], RTM_NEWROUTE,
                              NLM_F_CREATE | NLM_F_APPEND, to ? to->index : 0);
        added[i] = status == 0 || status == -EEXIST;
        missing += !added[i];
        if (!added[i] && !is_too_early(status))
            failed = status;
    }
    return failed ? failed : missing;
}

/* Routes through a gateway need the route to that gateway, which may need another. */
static bool
add_routes(const Kernel *kernel, const Layer3 *layer3, const Link *to, Failure *failure)
{
    bool *added = calloc(layer3->routes.count + 1, sizeof(*added));
    int before = (int)layer3->routes.count + 1, missing = added ? before - 1 : -ENOMEM;

    while (missing > 0 && missing < before) {
        before = missing;
        missing = add_missing_routes(kernel, layer3, to, added);
    }
    free(added);
    if (missing != 0)
        failure_set(failure, "a route cannot be set: %s",
                    missing < 0 ? strerror(-missing) : "its gateway is out of reach");
    return missing == 0;
}

bool
layer3_move(const Kernel *kernel, const Layer3 *layer3, const Link *link, Failure *failure)
{
    return add_addresses(kernel, layer3, link, failure) &&
           add_routes(kernel, layer3, link, failure);
}

bool
layer3_restore(const Kernel *kernel, const Layer3 *layer3, Failure *failure)
{
    bool addresses = add_addresses(kernel, layer3, NULL, failure);

    return add_routes(kernel, layer3, NULL, failure) && addresses;
}

void
layer3_visit(const Layer3 *layer3, Layer3Visit address, Layer3Visit route, void *data)
{
    for (size_t i = 0; i < layer3->addresses.count; i++)
        address(layer3->addresses.items[i], data);
    for (size_t i = 0; i < layer3->routes.count; i++)
        route(layer3->routes.items[i], data);
}
