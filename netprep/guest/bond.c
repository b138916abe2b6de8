/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creates bonds and changes their ports. */
#include "netprep/guest/bond.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "netprep/rtnetlink.h"

#define MONITOR_INTERVAL_MSEC 100
#define ANNOUNCEMENTS         3
#define FAIL_OVER_MAC_NONE    0

/* Sends @message, or reports that it could not be built (@built negative, or no message). */
static int
submit(struct nl_msg *message, int built)
{
    if (!message)
        return -ENOMEM;
    if (built < 0) {
        nlmsg_free(message);
        return -EMSGSIZE;
    }
    return rtnetlink_change(message);
}

bool
link_set_up(const Link *link, bool up, Failure *failure)
{
    struct ifinfomsg info = { .ifi_family = AF_UNSPEC,
                              .ifi_index = link->index,
                              .ifi_flags = up ? IFF_UP : 0,
                              .ifi_change = IFF_UP };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    int built = message ? nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) : 0;
    int status = submit(message, built);

    if (status < 0)
        failure_set(failure, "%s cannot be brought %s: %s", link->name, up ? "up" : "down",
                    strerror(-status));
    return status == 0;
}

static int
put_options(struct nl_msg *message, const uint8_t *mac)
{
    struct nlattr *linkinfo = NULL, *data = NULL;

    if (nla_put(message, IFLA_ADDRESS, ETH_ALEN, mac) < 0 ||
        !(linkinfo = nla_nest_start(message, IFLA_LINKINFO)) ||
        nla_put_string(message, IFLA_INFO_KIND, "bond") < 0 ||
        !(data = nla_nest_start(message, IFLA_INFO_DATA)) ||
        nla_put_u8(message, IFLA_BOND_MODE, LINK_MODE_BACKUP) < 0 ||
        nla_put_u32(message, IFLA_BOND_MIIMON, MONITOR_INTERVAL_MSEC) < 0 ||
        nla_put_u8(message, IFLA_BOND_NUM_PEER_NOTIF, ANNOUNCEMENTS) < 0 ||
        nla_put_u8(message, IFLA_BOND_FAIL_OVER_MAC, FAIL_OVER_MAC_NONE) < 0)
        return -1;
    nla_nest_end(message, data);
    nla_nest_end(message, linkinfo);
    return 0;
}

static int
send_options(const char *name, const uint8_t *mac, int flags)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_NEWLINK, flags, 0, name);

    return submit(message, message ? put_options(message, mac) : 0);
}

/* Creating the first bond loads the module, which may bring a bond0 of its own. */
bool
bond_create(const char *name, const uint8_t *mac, bool *ret_existed, Failure *failure)
{
    bool existed = false;
    int status = send_options(name, mac, NLM_F_CREATE | NLM_F_EXCL);

    if (status == -EEXIST) {
        existed = true;
        status = send_options(name, mac, 0);
    }
    if (status < 0) {
        failure_set(failure, "bond %s cannot be created: %s", name, strerror(-status));
        return false;
    }
    *ret_existed = existed;
    return true;
}

bool
bond_delete(const Link *bond, Failure *failure)
{
    int status = submit(rtnetlink_link_message(RTM_DELLINK, 0, bond->index, NULL), 0);

    if (status < 0)
        failure_set(failure, "bond %s cannot be deleted: %s", bond->name, strerror(-status));
    return status == 0;
}

static int
set_master(const Link *port, uint32_t master)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_NEWLINK, 0, port->index, NULL);

    return submit(message, message ? nla_put_u32(message, IFLA_MASTER, master) : 0);
}

bool
bond_enslave(const Link *bond, const Link *port, Failure *failure)
{
    if (port->master == bond->index)
        return true;
    if (!link_set_up(port, false, failure))
        return false;
    int status = set_master(port, (uint32_t)bond->index);
    if (status < 0)
        failure_set(failure, "%s cannot become a port of %s: %s", port->name, bond->name,
                    strerror(-status));
    return status == 0;
}

bool
bond_release(const Link *port, Failure *failure)
{
    int status = set_master(port, 0);

    if (status < 0)
        failure_set(failure, "%s cannot be taken out of its bond: %s", port->name,
                    strerror(-status));
    return status == 0;
}

/* @length of @value's bytes: options are 1 or 4 bytes wide. */
static int
put_option(struct nl_msg *message, int option, const void *value, int length)
{
    struct nlattr *linkinfo = NULL, *data = NULL;

    if (!(linkinfo = nla_nest_start(message, IFLA_LINKINFO)) ||
        nla_put_string(message, IFLA_INFO_KIND, "bond") < 0 ||
        !(data = nla_nest_start(message, IFLA_INFO_DATA)) ||
        nla_put(message, option, length, value) < 0)
        return -1;
    nla_nest_end(message, data);
    nla_nest_end(message, linkinfo);
    return 0;
}

static int
set_option(const Link *bond, int option, const void *value, int length)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_NEWLINK, 0, bond->index, NULL);

    return submit(message, message ? put_option(message, option, value, length) : 0);
}

bool
bond_set_primary(const Link *bond, const Link *port, Failure *failure)
{
    uint32_t index = port ? (uint32_t)port->index : 0;
    int status = set_option(bond, IFLA_BOND_PRIMARY, &index, sizeof(index));

    if (status < 0)
        failure_set(failure, "%s cannot prefer %s: %s", bond->name, port ? port->name : "no port",
                    strerror(-status));
    return status == 0;
}

bool
bond_set_active(const Link *bond, const Link *port, Failure *failure)
{
    uint32_t index = (uint32_t)port->index;
    int status = set_option(bond, IFLA_BOND_ACTIVE_SLAVE, &index, sizeof(index));

    if (status < 0)
        failure_set(failure, "%s cannot use %s: %s", bond->name, port->name, strerror(-status));
    return status == 0;
}

bool
bond_set_hear_all(const Link *bond, bool hear, Failure *failure)
{
    uint8_t value = hear;
    int status = set_option(bond, IFLA_BOND_ALL_SLAVES_ACTIVE, &value, sizeof(value));

    if (status < 0)
        failure_set(failure, "%s cannot be told what to hear: %s", bond->name, strerror(-status));
    return status == 0;
}
