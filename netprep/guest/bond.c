/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creates bonds and changes their ports. */
#include "netprep/guest/bond.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

/* Sends @message, or reports that it could not be built (@built negative, or no message). */
static int
submit(const Kernel *kernel, struct nl_msg *message, int built)
{
    if (!message)
        return -ENOMEM;
    if (built < 0) {
        nlmsg_free(message);
        return -EMSGSIZE;
    }
    return kernel->change(kernel, message);
}

bool
link_set_up(const Kernel *kernel, const Link *link, bool up, Failure *failure)
{
    struct ifinfomsg info = { .ifi_family = AF_UNSPEC,
                              .ifi_index = link->index,
                              .ifi_flags = up ? IFF_UP : 0,
                              .ifi_change = IFF_UP };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    int built = message ? nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) : 0;
    int status = submit(kernel, message, built);

    if (status < 0)
        failure_set(failure, "%s cannot be brought %s: %s", link->name, up ? "up" : "down",
                    strerror(-status));
    return status == 0;
}

static int
put_option(struct nl_msg *message, BondOption option, uint32_t value)
{
    if (bond_option_width(option) == 1)
        return nla_put_u8(message, bond_option_attribute(option), (uint8_t)value);
    return nla_put_u32(message, bond_option_attribute(option), value);
}

/* The kernel knows no preferred port in most modes. Delays of announcements and what the bond hears
 * are left as they are. */
static int
put_options(struct nl_msg *message, const uint32_t *options)
{
    static const BondOption given[] = { BOND_OPTION_MODE, BOND_OPTION_FAIL_OVER_MAC,
                                        BOND_OPTION_MONITOR_INTERVAL, BOND_OPTION_UP_DELAY,
                                        BOND_OPTION_GRATUITOUS_ARP };

    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
        if (put_option(message, given[i], options[given[i]]) < 0)
            return -1;
    }
    if (options[BOND_OPTION_MODE] != BOND_MODE_BACKUP)
        return 0;
    return put_option(message, BOND_OPTION_PRIMARY_RESELECT, options[BOND_OPTION_PRIMARY_RESELECT]);
}

/* Opens the part that is specific to bonds; NULL if there is no room. */
static struct nlattr *
begin_bond(struct nl_msg *message, struct nlattr **ret_data)
{
    struct nlattr *linkinfo = nla_nest_start(message, IFLA_LINKINFO);

    if (!linkinfo || nla_put_string(message, IFLA_INFO_KIND, "bond") < 0 ||
        !(*ret_data = nla_nest_start(message, IFLA_INFO_DATA)))
        return NULL;
    return linkinfo;
}

static void
end_bond(struct nl_msg *message, struct nlattr *linkinfo, struct nlattr *data)
{
    nla_nest_end(message, data);
    nla_nest_end(message, linkinfo);
}

static int
put_settings(struct nl_msg *message, const BondSettings *settings)
{
    struct nlattr *data = NULL, *linkinfo = NULL;

    if (nla_put(message, IFLA_ADDRESS, ETH_ALEN, settings->mac) < 0 ||
        nla_put_u32(message, IFLA_MTU, settings->mtu) < 0 ||
        !(linkinfo = begin_bond(message, &data)) || put_options(message, settings->options) < 0)
        return -1;
    end_bond(message, linkinfo, data);
    return 0;
}

static int
send_settings(const Kernel *kernel, const char *name, const BondSettings *settings, int flags)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_NEWLINK, flags, 0, name);

    return submit(kernel, message, message ? put_settings(message, settings) : 0);
}

/* Creating the first bond loads the module, which may bring a bond0 of its own. */
bool
bond_create(const Kernel *kernel, const char *name, const BondSettings *settings, bool *ret_existed,
            Failure *failure)
{
    bool existed = false;
    int status = send_settings(kernel, name, settings, NLM_F_CREATE | NLM_F_EXCL);

    if (status == -EEXIST) {
        existed = true;
        status = send_settings(kernel, name, settings, 0);
    }
    if (status < 0) {
        failure_set(failure, "bond %s cannot be created: %s", name, strerror(-status));
        return false;
    }
    *ret_existed = existed;
    return true;
}

bool
bond_configure(const Kernel *kernel, const Link *bond, const BondSettings *settings,
               Failure *failure)
{
    int status = send_settings(kernel, bond->name, settings, 0);

    if (status < 0)
        failure_set(failure, "bond %s cannot be configured: %s", bond->name, strerror(-status));
    return status == 0;
}

bool
bond_delete(const Kernel *kernel, const Link *bond, Failure *failure)
{
    int status = submit(kernel, rtnetlink_link_message(RTM_DELLINK, 0, bond->index, NULL), 0);

    if (status < 0)
        failure_set(failure, "bond %s cannot be deleted: %s", bond->name, strerror(-status));
    return status == 0;
}

static int
set_master(const Kernel *kernel, const Link *port, uint32_t master)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_NEWLINK, 0, port->index, NULL);

    return submit(kernel, message, message ? nla_put_u32(message, IFLA_MASTER, master) : 0);
}

bool
bond_enslave(const Kernel *kernel, const Link *bond, const Link *port, Failure *failure)
{
    if (port->master == bond->index)
        return true;
    if (!link_set_up(kernel, port, false, failure))
        return false;
    int status = set_master(kernel, port, (uint32_t)bond->index);
    if (status < 0)
        failure_set(failure, "%s cannot become a port of %s: %s", port->name, bond->name,
                    strerror(-status));
    return status == 0;
}

bool
bond_release(const Kernel *kernel, const Link *port, Failure *failure)
{
    int status = set_master(kernel, port, 0);

    if (status < 0)
        failure_set(failure, "%s cannot be taken out of its bond: %s", port->name,
                    strerror(-status));
    return status == 0;
}

static int
put_attribute(struct nl_msg *message, int attribute, const void *value, int width)
{
    struct nlattr *data = NULL, *linkinfo = begin_bond(message, &data);

    if (!linkinfo || nla_put(message, attribute, width, value) < 0)
        return -1;
    end_bond(message, linkinfo, data);
    return 0;
}

static int
set_attribute(const Kernel *kernel, const Link *bond, int attribute, const void *value, int width)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_NEWLINK, 0, bond->index, NULL);

    return submit(kernel, message, message ? put_attribute(message, attribute, value, width) : 0);
}

bool
bond_set_primary(const Kernel *kernel, const Link *bond, const Link *port, Failure *failure)
{
    uint32_t index = port ? (uint32_t)port->index : 0;
    int status = set_attribute(kernel, bond, IFLA_BOND_PRIMARY, &index, sizeof(index));

    if (status < 0)
        failure_set(failure, "%s cannot prefer %s: %s", bond->name, port ? port->name : "no port",
                    strerror(-status));
    return status == 0;
}

bool
bond_set_active(const Kernel *kernel, const Link *bond, const Link *port, Failure *failure)
{
    uint32_t index = (uint32_t)port->index;
    int status = set_attribute(kernel, bond, IFLA_BOND_ACTIVE_SLAVE, &index, sizeof(index));

    if (status < 0)
        failure_set(failure, "%s cannot use %s: %s", bond->name, port->name, strerror(-status));
    return status == 0;
}

bool
bond_set_option(const Kernel *kernel, const Link *bond, BondOption option, uint32_t value,
                Failure *failure)
{
    const int attribute = bond_option_attribute(option), width = bond_option_width(option);
    const uint8_t byte = (uint8_t)value;
    int status =
        set_attribute(kernel, bond, attribute, width == 1 ? (const void *)&byte : &value, width);

    if (status < 0)
        failure_set(failure, "%s of %s cannot be set to %u: %s", bond_option_name(option),
                    bond->name, value, strerror(-status));
    return status == 0;
}

bool
bond_set_hear_all(const Kernel *kernel, const Link *bond, bool hear, Failure *failure)
{
    return bond_set_option(kernel, bond, BOND_OPTION_ALL_PORTS_ACTIVE, hear, failure);
}
