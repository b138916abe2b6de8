/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists network devices by rtnetlink, and where they sit by sysfs. */
#include "netprep/guest/links.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netprep/rtnetlink.h"

#define READS_MAX 5 /* a dump that a change overtook is repeated */

typedef struct {
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
read_pci_path(const char *device, char *path, size_t size)
{
    char *copy = strdup(device), *rest = NULL;

    path[0] = '\0';
    for (char *hop = copy ? strtok_r(copy, "/", &rest) : NULL; hop;
         hop = strtok_r(NULL, "/", &rest)) {
        size_t used = strlen(path);

        if (is_pci_address(hop))
            snprintf(path + used, size - used, "%s%s", used ? "/" : "", hop + strlen("xxxx:xx:"));
    }
    free(copy);
}

static void
read_place(Link *link)
{
    char path[PATH_MAX], device[PATH_MAX], driver[PATH_MAX];

    snprintf(path, sizeof(path), "/sys/class/net/%s/device", link->name);
    if (!realpath(path, device))
        return;
    read_pci_path(device, link->pci_path, sizeof(link->pci_path));
    snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", link->name);
    const char *name = realpath(path, driver) ? strrchr(driver, '/') : NULL;
    if (name)
        snprintf(link->driver, sizeof(link->driver), "%.*s", LINK_DRIVER_SIZE - 1, name + 1);
}

static void
read_bond(struct nlattr *data, LinkBond *bond)
{
    struct nlattr *attributes[IFLA_BOND_MAX + 1];

    if (nla_parse_nested(attributes, IFLA_BOND_MAX, data, NULL) < 0)
        return;
    if (attributes[IFLA_BOND_MODE])
        bond->mode = nla_get_u8(attributes[IFLA_BOND_MODE]);
    if (attributes[IFLA_BOND_FAIL_OVER_MAC])
        bond->fail_over_mac = nla_get_u8(attributes[IFLA_BOND_FAIL_OVER_MAC]);
    if (attributes[IFLA_BOND_MIIMON])
        bond->monitor_interval_msec = nla_get_u32(attributes[IFLA_BOND_MIIMON]);
    if (attributes[IFLA_BOND_ACTIVE_SLAVE])
        bond->active = (int)nla_get_u32(attributes[IFLA_BOND_ACTIVE_SLAVE]);
    if (attributes[IFLA_BOND_PRIMARY])
        bond->primary = (int)nla_get_u32(attributes[IFLA_BOND_PRIMARY]);
}

static void
read_kind(struct nlattr *linkinfo, Link *link)
{
    struct nlattr *attributes[IFLA_INFO_MAX + 1];

    if (nla_parse_nested(attributes, IFLA_INFO_MAX, linkinfo, NULL) < 0 ||
        !attributes[IFLA_INFO_KIND])
        return;
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
read_link(struct nlmsghdr *header, Link *link)
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
    if (attributes[IFLA_MASTER])
        link->master = (int)nla_get_u32(attributes[IFLA_MASTER]);
    if (attributes[IFLA_CARRIER])
        link->carrier = link->up && nla_get_u8(attributes[IFLA_CARRIER]);
    if (attributes[IFLA_LINKINFO])
        read_kind(attributes[IFLA_LINKINFO], link);
    read_place(link);
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
    if (read_link(header, &grown[links->count]))
        links->count++;
}

bool
links_read(Links *ret_links, Failure *failure)
{
    Links links = { 0 };
    Reading reading = { .links = &links };
    int status = -EINTR;

    for (int tries = 0; tries < READS_MAX && status == -EINTR; tries++) {
        links_clear(&links);
        struct nl_msg *message = rtnetlink_link_message(RTM_GETLINK, NLM_F_DUMP, 0, NULL);
        status = message ? rtnetlink_query(message, on_link, &reading) : -ENOMEM;
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
links_find_mac(const Links *links, const uint8_t *mac)
{
    const Link *found = NULL;

    for (size_t i = 0; i < links->count; i++) {
        const Link *link = &links->items[i];

        if (!link->ethernet || link->is_bond || !link->driver[0])
            continue;
        if (memcmp(link->permanent_mac, mac, ETH_ALEN) == 0)
            return link;
        if (!found && memcmp(link->mac, mac, ETH_ALEN) == 0)
            found = link;
    }
    return found;
}

bool
link_parse_mac(const char *text, uint8_t *ret_mac)
{
    unsigned part[ETH_ALEN];
    int used = 0;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &part[0], &part[1], &part[2], &part[3], &part[4],
               &part[5], &used) != ETH_ALEN ||
        text[used])
        return false;
    for (size_t i = 0; i < ETH_ALEN; i++)
        ret_mac[i] = (uint8_t)part[i];
    return true;
}
