/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists network devices by rtnetlink, and where they sit by sysfs. */
#include "netprep/guest/links.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_arp.h>
#include <linux/if_bonding.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netprep/guest/layer3_message.h"

#define READS_MAX 5 /* a dump that a change overtook is repeated */

typedef struct {
    const Kernel *kernel;
    Links *links;
    bool failed;
} Reading;

static bool
is_pci_address(const char *text)
{
    static const char shape[] = "xxxx:xx:xx.x";

    if (strlen(text) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        if (shape[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    }
    return true;
}

/* Bus numbers are the firmware's choice; device and function of each bridge are the topology. */
static void
read_pci_path(const char *device, Link *link)
{
    char *copy = strdup(device), *rest = NULL;
    char *path = link->pci_path;
    const size_t size = sizeof(link->pci_path);

    for (char *hop = copy ? strtok_r(copy, "/", &rest) : NULL; hop;
         hop = strtok_r(NULL, "/", &rest)) {
        size_t used = strlen(path);

        if (!is_pci_address(hop))
            continue;
        snprintf(path + used, size - used, "%s%s", used ? "/" : "", hop + strlen("xxxx:xx:"));
        snprintf(link->pci_address, sizeof(link->pci_address), "%s", hop);
    }
    free(copy);
}

static void
read_place(const Kernel *kernel, Link *link)
{
    char path[PATH_MAX], device[PATH_MAX], driver[PATH_MAX];

    snprintf(path, sizeof(path), "%s/class/net/%s/device", kernel->sysfs, link->name);
    if (!realpath(path, device))
        return;
    read_pci_path(device, link);
    snprintf(path, sizeof(path), "%s/class/net/%s/device/driver", kernel->sysfs, link->name);
    const char *name = realpath(path, driver) ? strrchr(driver, '/') : NULL;
    if (name)
        snprintf(link->driver, sizeof(link->driver), "%.*s", LINK_DRIVER_SIZE - 1, name + 1);
}

static uint32_t
read_number(const struct nlattr *attribute, int width)
{
    if (!attribute || nla_len(attribute) < width)
        return 0;
    return width == 1 ? nla_get_u8(attribute) : nla_get_u32(attribute);
}

static void
read_bond(struct nlattr *data, LinkBond *bond)
{
    struct nlattr *attributes[IFLA_BOND_MAX + 1];

    if (nla_parse_nested(attributes, IFLA_BOND_MAX, data, NULL) < 0)
        return;
    for (BondOption option = 0; option < BOND_OPTION_COUNT; option++)
        bond->options[option] =
            read_number(attributes[bond_option_attribute(option)], bond_option_width(option));
    bond->active = (int)read_number(attributes[IFLA_BOND_ACTIVE_SLAVE], 4);
    bond->primary = (int)read_number(attributes[IFLA_BOND_PRIMARY], 4);
}

static bool
read_port_usable(struct nlattr *data)
{
    struct nlattr *attributes[IFLA_BOND_SLAVE_MAX + 1];

    return nla_parse_nested(attributes, IFLA_BOND_SLAVE_MAX, data, NULL) == 0 &&
           attributes[IFLA_BOND_SLAVE_MII_STATUS] &&
           read_number(attributes[IFLA_BOND_SLAVE_MII_STATUS], 1) == BOND_LINK_UP;
}

static void
read_kind(struct nlattr *linkinfo, Link *link)
{
    struct nlattr *attributes[IFLA_INFO_MAX + 1];

    if (nla_parse_nested(attributes, IFLA_INFO_MAX, linkinfo, NULL) < 0)
        return;
    if (attributes[IFLA_INFO_SLAVE_KIND] && attributes[IFLA_INFO_SLAVE_DATA] &&
        nla_strcmp(attributes[IFLA_INFO_SLAVE_KIND], "bond") == 0)
        link->port_usable = read_port_usable(attributes[IFLA_INFO_SLAVE_DATA]);
    if (!attributes[IFLA_INFO_KIND])
        return;
    /* A pair's other end is no device to stand on. */
    if (nla_strcmp(attributes[IFLA_INFO_KIND], "veth") == 0)
        link->lower = 0;
    link->is_bond = nla_strcmp(attributes[IFLA_INFO_KIND], "bond") == 0;
    if (link->is_bond && attributes[IFLA_INFO_DATA])
        read_bond(attributes[IFLA_INFO_DATA], &link->bond);
}

static void
read_mac(const struct nlattr *attribute, uint8_t *mac)
{
    if (attribute && nla_len(attribute) == ETH_ALEN)
        memcpy(mac, nla_data(attribute), ETH_ALEN);
}

static bool
read_xdp(struct nlattr *xdp)
{
    struct nlattr *attributes[IFLA_XDP_MAX + 1];

    return nla_parse_nested(attributes, IFLA_XDP_MAX, xdp, NULL) == 0 &&
           read_number(attributes[IFLA_XDP_ATTACHED], 1) != XDP_ATTACHED_NONE;
}

static bool
read_link(const Kernel *kernel, struct nlmsghdr *header, Link *link)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    struct nlattr *attributes[IFLA_MAX + 1];

    if (nlmsg_parse(header, sizeof(*info), attributes, IFLA_MAX, NULL) < 0 ||
        !attributes[IFLA_IFNAME])
        return false;
    *link = (Link) { .index = info->ifi_index,
                     .ethernet = info->ifi_type == ARPHRD_ETHER,
                     .up = info->ifi_flags & IFF_UP };
    nla_strlcpy(link->name, attributes[IFLA_IFNAME], sizeof(link->name));
    read_mac(attributes[IFLA_ADDRESS], link->mac);
    memcpy(link->permanent_mac, link->mac, ETH_ALEN);
    read_mac(attributes[IFLA_PERM_ADDRESS], link->permanent_mac);
    link->master = (int)read_number(attributes[IFLA_MASTER], 4);
    if (!attributes[IFLA_LINK_NETNSID])
        link->lower = (int)read_number(attributes[IFLA_LINK], 4);
    link->mtu = read_number(attributes[IFLA_MTU], 4);
    link->carrier = link->up && read_number(attributes[IFLA_CARRIER], 1);
    if (attributes[IFLA_LINKINFO])
        read_kind(attributes[IFLA_LINKINFO], link);
    link->has_xdp = attributes[IFLA_XDP] && read_xdp(attributes[IFLA_XDP]);
    read_place(kernel, link);
    return true;
}

static void
on_link(struct nlmsghdr *header, void *data)
{
    Reading *reading = data;
    Links *links = reading->links;

    if (header->nlmsg_type != RTM_NEWLINK || links->count == LINKS_MAX)
        return;
    Link *grown = realloc(links->items, (links->count + 1) * sizeof(*grown));
    if (!grown) {
        reading->failed = true;
        return;
    }
    links->items = grown;
    if (read_link(reading->kernel, header, &grown[links->count]))
        links->count++;
}

bool
links_read(const Kernel *kernel, Links *ret_links, Failure *failure)
{
    Links links = { 0 };
    Reading reading = { .kernel = kernel, .links = &links };
    int status = -EINTR;

    for (int tries = 0; tries < READS_MAX && status == -EINTR; tries++) {
        links_clear(&links);
        struct nl_msg *message = rtnetlink_link_message(RTM_GETLINK, NLM_F_DUMP, 0, NULL);
        status = message ? kernel->query(kernel, message, on_link, &reading) : -ENOMEM;
    }
    if (reading.failed)
        status = -ENOMEM;
    if (status < 0) {
        links_clear(&links);
        failure_set(failure, "network devices cannot be listed: %s", strerror(-status));
        return false;
    }
    *ret_links = links;
    return true;
}

void
links_clear(Links *links)
{
    free(links->items);
    *links = (Links) { 0 };
}

static void
on_address(struct nlmsghdr *header, void *data)
{
    const Links *links = data;
    const struct ifaddrmsg *address = nlmsg_data(header);

    for (size_t i = 0; layer3_message_is_address(header) && i < links->count; i++) {
        if (links->items[i].index == (int)address->ifa_index)
            links->items[i].addresses++;
    }
}

bool
links_count_addresses(const Kernel *kernel, Links *links, Failure *failure)
{
    struct ifaddrmsg all = { .ifa_family = AF_UNSPEC };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETADDR, NLM_F_DUMP);
    int status = -ENOMEM;

    if (message && nlmsg_append(message, &all, sizeof(all), NLMSG_ALIGNTO) == 0)
        status = kernel->query(kernel, message, on_address, links);
    else
        nlmsg_free(message);
    if (status < 0 && status != -EINTR) /* overtaken by a change: a count of that moment */
        failure_set(failure, "addresses cannot be listed: %s", strerror(-status));
    return status == 0 || status == -EINTR;
}

const Link *
links_find_index(const Links *links, int index)
{
    for (size_t i = 0; i < links->count; i++) {
        if (links->items[i].index == index)
            return &links->items[i];
    }
    return NULL;
}

const Link *
links_find_name(const Links *links, const char *name)
{
    for (size_t i = 0; i < links->count; i++) {
        if (strcmp(links->items[i].name, name) == 0)
            return &links->items[i];
    }
    return NULL;
}

const Link *
links_find_path(const Links *links, const char *pci_path)
{
    for (size_t i = 0; i < links->count; i++) {
        if (strcmp(links->items[i].pci_path, pci_path) == 0)
            return &links->items[i];
    }
    return NULL;
}

const Link *
links_find_mac(const Links *links, const uint8_t *mac, const Link *other)
{
    const Link *found = NULL;

    for (size_t i = 0; i < links->count; i++) {
        const Link *link = &links->items[i];

        if (!link->ethernet || link->is_bond || !link->driver[0] || link == other)
            continue;
        if (memcmp(link->permanent_mac, mac, ETH_ALEN) == 0)
            return link;
        if (!found && memcmp(link->mac, mac, ETH_ALEN) == 0)
            found = link;
    }
    return found;
}

const Link *
links_find_port(const Links *links, const Link *bond, size_t number)
{
    for (size_t i = 0; i < links->count; i++) {
        if (links->items[i].master == bond->index && number-- == 0)
            return &links->items[i];
    }
    return NULL;
}

bool
link_parse_mac(const char *text, uint8_t *ret_mac)
{
    static const char shape[] = "xx:xx:xx:xx:xx:xx";
    unsigned part[ETH_ALEN], sum = 0;

    for (size_t i = 0; i < sizeof(shape); i++) {
        if (shape[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    }
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &part[0], &part[1], &part[2], &part[3], &part[4],
               &part[5]) != ETH_ALEN ||
        part[0] & 1)
        return false;
    for (size_t i = 0; i < ETH_ALEN; i++)
        sum += part[i];
    for (size_t i = 0; sum && i < ETH_ALEN; i++)
        ret_mac[i] = (uint8_t)part[i];
    return sum != 0;
}

void
link_print_mac(const uint8_t *mac, char *text)
{
    snprintf(text, LINK_MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}
