/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers rtnetlink requests from memory. */
#include "fake/fake_kernel.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <linux/if_addr.h>
#include <net/if_arp.h>
#include <string.h>
#include <unistd.h>

#include "fake/fake_kernel_route.h"
#include "fake/fake_sysfs.h"
#include "fake/link_message.h"
#include "netprep/guest/layer3_route.h"
#include "netprep/guest/links.h"

typedef struct {
    Link link;
    guint8 own_mac[ETH_ALEN]; /* kept while it is a port */
    unsigned own_mtu;
    unsigned looks; /* at it, since it became a port */
} Device;

struct FakeKernel {
    Kernel kernel; /* first, so that the table leads back to all of it */
    char *sysfs;
    GPtrArray *devices;   /* of Device */
    GPtrArray *addresses; /* of struct nlmsghdr */
    GPtrArray *routes;    /* likewise */
    int next_index;
    unsigned calls;
    unsigned fail_at; /* 0: never */
    int error;
    gboolean done;
    unsigned refusals;
};

static FakeKernel *
self(const Kernel *kernel)
{
    return (FakeKernel *)kernel;
}

static Device *
find_index(const FakeKernel *fake, int index)
{
    for (guint i = 0; i < fake->devices->len; i++) {
        Device *device = fake->devices->pdata[i];

        if (device->link.index == index)
            return device;
    }
    return NULL;
}

static Device *
find_name(const FakeKernel *fake, const char *name)
{
    for (guint i = 0; name && i < fake->devices->len; i++) {
        Device *device = fake->devices->pdata[i];

        if (g_str_equal(device->link.name, name))
            return device;
    }
    return NULL;
}

static Device *
known(const FakeKernel *fake, const char *name)
{
    Device *device = find_name(fake, name);

    g_assert_nonnull(device);
    return device;
}

static void
drop_routes(FakeKernel *fake, int index)
{
    for (guint i = fake->routes->len; i-- > 0;) {
        if (layer3_route_uses(fake->routes->pdata[i], index))
            g_ptr_array_remove_index(fake->routes, i);
    }
}

static void
drop_addresses(FakeKernel *fake, int index, gboolean six_only)
{
    for (guint i = fake->addresses->len; i-- > 0;) {
        const struct ifaddrmsg *address = nlmsg_data(fake->addresses->pdata[i]);

        if ((int)address->ifa_index == index && (!six_only || address->ifa_family == AF_INET6))
            g_ptr_array_remove_index(fake->addresses, i);
    }
}

static void
set_up(FakeKernel *fake, Device *device, gboolean up)
{
    if (device->link.up && !up) {
        drop_routes(fake, device->link.index);
        drop_addresses(fake, device->link.index, TRUE);
    }
    device->link.up = up;
}

static void
release(FakeKernel *fake, Device *port)
{
    Device *bond = find_index(fake, port->link.master);

    set_up(fake, port, FALSE);
    port->link.master = 0;
    memcpy(port->link.mac, port->own_mac, ETH_ALEN);
    port->link.mtu = port->own_mtu;
    if (bond && bond->link.bond.active == port->link.index)
        bond->link.bond.active = 0;
    if (bond && bond->link.bond.primary == port->link.index)
        bond->link.bond.primary = 0;
}

/* What bonding's bond_enslave() does; it refuses a device that is up. */
static int
set_master(FakeKernel *fake, Device *port, int master)
{
    Device *bond = find_index(fake, master);

    if (port->link.master == master)
        return 0;
    if (port->link.master)
        release(fake, port);
    if (!master)
        return 0;
    if (!bond || port->link.up)
        return bond ? -EPERM : -EINVAL;
    memcpy(port->own_mac, port->link.mac, ETH_ALEN);
    port->own_mtu = port->link.mtu;
    port->link.master = master;
    port->link.mtu = bond->link.mtu;
    port->link.up = TRUE;
    if (bond->link.bond.options[BOND_OPTION_FAIL_OVER_MAC] == BOND_FAIL_OVER_MAC_NONE)
        memcpy(port->link.mac, bond->link.mac, ETH_ALEN);
    if (!bond->link.bond.active)
        bond->link.bond.active = port->link.index;
    return 0;
}

static gboolean
has_ports(const FakeKernel *fake, const Device *bond)
{
    for (guint i = 0; i < fake->devices->len; i++) {
        if (((Device *)fake->devices->pdata[i])->link.master == bond->link.index)
            return TRUE;
    }
    return FALSE;
}

static int
set_option(FakeKernel *fake, Device *bond, BondOption option, guint32 value)
{
    const gboolean early = option == BOND_OPTION_MODE || option == BOND_OPTION_FAIL_OVER_MAC;

    if (early && (has_ports(fake, bond) || (option == BOND_OPTION_MODE && bond->link.up)))
        return -EBUSY;
    bond->link.bond.options[option] = value;
    return 0;
}

static int
set_active(FakeKernel *fake, Device *bond, int index)
{
    const Device *port = find_index(fake, index);

    if (!port || !port->link.port_usable) {
        fake->refusals++;
        return -EINVAL;
    }
    bond->link.bond.active = index;
    return 0;
}

static int
set_bond(FakeKernel *fake, Device *bond, struct nlattr *data)
{
    struct nlattr *attributes[IFLA_BOND_MAX + 1];
    int status = 0;

    nla_parse_nested(attributes, IFLA_BOND_MAX, data, NULL);
    for (BondOption option = 0; status == 0 && option < BOND_OPTION_COUNT; option++) {
        struct nlattr *value = attributes[bond_option_attribute(option)];

        if (value)
            status =
                set_option(fake, bond, option,
                           bond_option_width(option) == 1 ? nla_get_u8(value) : nla_get_u32(value));
    }
    if (attributes[IFLA_BOND_PRIMARY])
        bond->link.bond.primary = (int)nla_get_u32(attributes[IFLA_BOND_PRIMARY]);
    if (attributes[IFLA_BOND_ACTIVE_SLAVE])
        status = set_active(fake, bond, (int)nla_get_u32(attributes[IFLA_BOND_ACTIVE_SLAVE]));
    return status;
}

static Device *
add_device(FakeKernel *fake, const char *name, gboolean bond)
{
    Device *device = g_new0(Device, 1);

    device->link = (Link) { .index = fake->next_index++, .mtu = 1500, .is_bond = bond };
    g_strlcpy(device->link.name, name, sizeof(device->link.name));
    g_ptr_array_add(fake->devices, device);
    return device;
}

static int
change_link(FakeKernel *fake, struct nlmsghdr *header)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    struct nlattr *attributes[IFLA_MAX + 1], *kind[IFLA_INFO_MAX + 1] = { 0 };
    int status = 0;

    nlmsg_parse(header, sizeof(*info), attributes, IFLA_MAX, NULL);
    const char *name = attributes[IFLA_IFNAME] ? nla_get_string(attributes[IFLA_IFNAME]) : NULL;
    Device *device = info->ifi_index ? find_index(fake, info->ifi_index) : find_name(fake, name);
    if (device && header->nlmsg_flags & NLM_F_EXCL)
        return -EEXIST;
    if (!device && !(header->nlmsg_flags & NLM_F_CREATE))
        return -ENODEV;
    if (!device)
        device = add_device(fake, name, TRUE);
    if (attributes[IFLA_ADDRESS])
        memcpy(device->link.mac, nla_data(attributes[IFLA_ADDRESS]), ETH_ALEN);
    if (attributes[IFLA_MTU])
        device->link.mtu = nla_get_u32(attributes[IFLA_MTU]);
    if (attributes[IFLA_MASTER])
        status = set_master(fake, device, (int)nla_get_u32(attributes[IFLA_MASTER]));
    if (attributes[IFLA_LINKINFO])
        nla_parse_nested(kind, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL);
    if (kind[IFLA_INFO_DATA])
        status = set_bond(fake, device, kind[IFLA_INFO_DATA]);
    if (info->ifi_change & IFF_UP)
        set_up(fake, device, !!(info->ifi_flags & IFF_UP));
    return status;
}

static int
delete_link(FakeKernel *fake, struct nlmsghdr *header)
{
    const struct ifinfomsg *info = nlmsg_data(header);
    Device *bond = find_index(fake, info->ifi_index);

    if (!bond || !bond->link.is_bond)
        return bond ? -EOPNOTSUPP : -ENODEV;
    set_up(fake, bond, FALSE);
    drop_addresses(fake, bond->link.index, FALSE);
    for (guint i = 0; i < fake->devices->len; i++) {
        Device *port = fake->devices->pdata[i];

        if (port->link.master == bond->link.index)
            release(fake, port);
    }
    g_ptr_array_remove(fake->devices, bond);
    return 0;
}

static struct nlmsghdr *
find_address(FakeKernel *fake, struct nlmsghdr *like)
{
    const struct ifaddrmsg *wanted = nlmsg_data(like);
    struct nlattr *local = nlmsg_find_attr(like, sizeof(*wanted), IFA_LOCAL);

    for (guint i = 0; i < fake->addresses->len; i++) {
        const struct ifaddrmsg *address = nlmsg_data(fake->addresses->pdata[i]);
        struct nlattr *other =
            nlmsg_find_attr(fake->addresses->pdata[i], sizeof(*address), IFA_LOCAL);

        if (address->ifa_index == wanted->ifa_index && nla_len(other) == nla_len(local) &&
            memcmp(nla_data(other), nla_data(local), (gsize)nla_len(local)) == 0)
            return fake->addresses->pdata[i];
    }
    return NULL;
}

static int
add_route(FakeKernel *fake, struct nlmsghdr *request)
{
    struct nlattr *device = nlmsg_find_attr(request, sizeof(struct rtmsg), RTA_OIF);
    const Device *by = device ? find_index(fake, (int)nla_get_u32(device)) : NULL;
    gboolean reached = !fake_route_needs_way(request);

    if (device && (!by || !by->link.up))
        return -ENETDOWN;
    for (guint i = 0; i < fake->routes->len; i++) {
        if (fake_route_is_same(fake->routes->pdata[i], request))
            return -EEXIST;
        reached = reached || fake_route_reaches(fake->routes->pdata[i], request);
    }
    if (!reached)
        return -ENETUNREACH;
    g_ptr_array_add(fake->routes, fake_message_keep(request, RTM_NEWROUTE));
    return 0;
}

static int
delete_route(FakeKernel *fake, struct nlmsghdr *request)
{
    for (guint i = 0; i < fake->routes->len; i++) {
        if (fake_route_is_same(fake->routes->pdata[i], request)) {
            g_ptr_array_remove_index(fake->routes, i);
            return 0;
        }
    }
    return -ESRCH;
}

static int
add_address(FakeKernel *fake, struct nlmsghdr *request)
{
    const struct ifaddrmsg *address = nlmsg_data(request);
    struct nlmsghdr *old = find_address(fake, request);
    struct nlattr *flags = nlmsg_find_attr(request, sizeof(*address), IFA_FLAGS);
    const Device *device = find_index(fake, (int)address->ifa_index);

    if (!device)
        return -ENODEV;
    if (old)
        g_ptr_array_remove(fake->addresses, old);
    g_ptr_array_add(fake->addresses, fake_message_keep(request, RTM_NEWADDR));
    if (device->link.up && !(nla_get_u32(flags) & IFA_F_NOPREFIXROUTE)) {
        g_autofree struct nlmsghdr *route = fake_route_of_address(request);
        add_route(fake, route);
    }
    return 0;
}

static int
delete_address(FakeKernel *fake, struct nlmsghdr *request)
{
    struct nlmsghdr *address = find_address(fake, request);

    if (!address)
        return -EADDRNOTAVAIL;
    for (guint i = fake->routes->len; i-- > 0;) {
        if (fake_route_is_from(fake->routes->pdata[i], address))
            g_ptr_array_remove_index(fake->routes, i);
    }
    g_ptr_array_remove(fake->addresses, address);
    return 0;
}

static int
apply(FakeKernel *fake, struct nlmsghdr *header)
{
    switch (header->nlmsg_type) {
    case RTM_NEWLINK:
        return change_link(fake, header);
    case RTM_DELLINK:
        return delete_link(fake, header);
    case RTM_NEWADDR:
        return add_address(fake, header);
    case RTM_DELADDR:
        return delete_address(fake, header);
    case RTM_NEWROUTE:
        return add_route(fake, header);
    case RTM_DELROUTE:
        return delete_route(fake, header);
    default:
        g_assert_not_reached();
    }
}

static int
change(const Kernel *kernel, struct nl_msg *message)
{
    FakeKernel *fake = self(kernel);
    const gboolean fails = ++fake->calls == fake->fail_at;
    int status = fails && !fake->done ? fake->error : apply(fake, nlmsg_hdr(message));

    nlmsg_free(message);
    return fails ? fake->error : status;
}

/* A bond sees the link of a new port at one of its polls, which a few looks of ours stand for. */
#define LOOKS_UNTIL_SEEN 3

static const Link *
poll_port(Device *device)
{
    device->looks = device->link.master ? device->looks + 1 : 0;
    device->link.port_usable = device->looks > LOOKS_UNTIL_SEEN;
    return &device->link;
}

static void
tell_link(const Link *link, RtnetlinkReply reply, void *data)
{
    struct nl_msg *message = link_message_new(link);

    reply(nlmsg_hdr(message), data);
    nlmsg_free(message);
}

static int
query(const Kernel *kernel, struct nl_msg *message, RtnetlinkReply reply, void *data)
{
    FakeKernel *fake = self(kernel);
    const int type = nlmsg_hdr(message)->nlmsg_type;
    GPtrArray *messages = type == RTM_GETADDR ? fake->addresses : fake->routes;

    nlmsg_free(message);
    if (++fake->calls == fake->fail_at)
        return fake->error;
    for (guint i = 0; type == RTM_GETLINK && i < fake->devices->len; i++)
        tell_link(poll_port(fake->devices->pdata[i]), reply, data);
    for (guint i = 0; type != RTM_GETLINK && i < messages->len; i++)
        reply(messages->pdata[i], data);
    return 0;
}

FakeKernel *
fake_kernel_new(void)
{
    FakeKernel *fake = g_new0(FakeKernel, 1);

    fake->sysfs = fake_sysfs_new();
    fake->kernel = (Kernel) { .change = change, .query = query, .sysfs = fake->sysfs };
    fake->devices = g_ptr_array_new_with_free_func(g_free);
    fake->addresses = g_ptr_array_new_with_free_func(g_free);
    fake->routes = g_ptr_array_new_with_free_func(g_free);
    fake->next_index = 2;
    return fake;
}

void
fake_kernel_free(FakeKernel *fake)
{
    fake_sysfs_remove(fake->sysfs);
    g_ptr_array_unref(fake->devices);
    g_ptr_array_unref(fake->addresses);
    g_ptr_array_unref(fake->routes);
    g_free(fake);
}

const Kernel *
fake_kernel_get(FakeKernel *fake)
{
    return &fake->kernel;
}

static void
place(const FakeKernel *fake, const char *name, const char *driver, const char *pci)
{
    g_autofree char *device = g_build_filename(fake->sysfs, "devices/pci0000:00", pci, NULL);
    g_autofree char *link = g_build_filename(fake->sysfs, "class/net", name, NULL);
    g_autofree char *driver_directory = g_build_filename(fake->sysfs, "drivers", driver, NULL);
    g_autofree char *device_link = g_build_filename(link, "device", NULL);
    g_autofree char *driver_link = g_build_filename(device, "driver", NULL);

    g_assert_cmpint(g_mkdir_with_parents(device, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(link, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(driver_directory, 0700), ==, 0);
    g_assert_cmpint(symlink(device, device_link), ==, 0);
    g_assert_cmpint(symlink(driver_directory, driver_link), ==, 0);
}

void
fake_kernel_add_nic(FakeKernel *fake, const char *name, const char *mac, const char *driver,
                    const char *pci)
{
    Device *device = add_device(fake, name, FALSE);

    g_assert_true(link_parse_mac(mac, device->link.mac));
    memcpy(device->link.permanent_mac, device->link.mac, ETH_ALEN);
    device->link.up = TRUE;
    place(fake, name, driver, pci);
}

void
fake_kernel_add_bond(FakeKernel *fake, const char *name, const char *mac)
{
    Device *device = add_device(fake, name, TRUE);

    g_assert_true(link_parse_mac(mac, device->link.mac));
}

void
fake_kernel_set_mtu(FakeKernel *fake, const char *name, unsigned mtu)
{
    known(fake, name)->link.mtu = mtu;
}

void
fake_kernel_add_xdp(FakeKernel *fake, const char *name)
{
    known(fake, name)->link.has_xdp = true;
}

void
fake_kernel_set_lower(FakeKernel *fake, const char *name, const char *lower)
{
    known(fake, name)->link.lower = known(fake, lower)->link.index;
}

void
fake_kernel_add_address(FakeKernel *fake, const char *name, const char *address, const char *label,
                        unsigned flags, unsigned lifetime_seconds)
{
    g_autofree struct nlmsghdr *message =
        fake_address_new(address, known(fake, name)->link.index, label, flags, lifetime_seconds);

    g_assert_cmpint(add_address(fake, message), ==, 0);
}

void
fake_kernel_add_route(FakeKernel *fake, const FakeRoute *route)
{
    g_autofree struct nlmsghdr *message =
        fake_route_new(route, known(fake, route->name)->link.index,
                       route->name2 ? known(fake, route->name2)->link.index : 0);

    g_assert_cmpint(add_route(fake, message), ==, 0);
}

void
fake_kernel_fail(FakeKernel *fake, unsigned call, int error, gboolean done)
{
    fake->fail_at = fake->calls + call;
    fake->error = error;
    fake->done = done;
}

unsigned
fake_kernel_calls(const FakeKernel *fake)
{
    return fake->calls;
}

unsigned
fake_kernel_refusals(const FakeKernel *fake)
{
    return fake->refusals;
}

static const char *
name_of(const void *data, int index)
{
    const Device *device = find_index(data, index);

    return device ? device->link.name : "?";
}

static char *
print_link(const FakeKernel *fake, const Link *link)
{
    char mac[LINK_MAC_TEXT_SIZE];
    GString *text = g_string_new(NULL);

    link_print_mac(link->mac, mac);
    g_string_append_printf(text, "device %s %s mtu %u %s", link->name, mac, link->mtu,
                           link->up ? "up" : "down");
    if (link->master)
        g_string_append_printf(text, " master %s", name_of(fake, link->master));
    if (link->is_bond)
        g_string_append_printf(text, " active %s primary %s", name_of(fake, link->bond.active),
                               name_of(fake, link->bond.primary));
    for (BondOption option = 0; link->is_bond && option < BOND_OPTION_COUNT; option++)
        g_string_append_printf(text, " %s %u", bond_option_name(option),
                               link->bond.options[option]);
    return g_string_free(text, FALSE);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *
fake_kernel_print(const FakeKernel *fake)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < fake->devices->len; i++)
        g_ptr_array_add(lines, print_link(fake, &((Device *)fake->devices->pdata[i])->link));
    for (guint i = 0; i < fake->addresses->len; i++)
        g_ptr_array_add(lines, fake_message_print(fake->addresses->pdata[i], name_of, fake));
    for (guint i = 0; i < fake->routes->len; i++)
        g_ptr_array_add(lines, fake_message_print(fake->routes->pdata[i], name_of, fake));
    g_ptr_array_sort(lines, compare);
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("\n", (char **)lines->pdata);
}
