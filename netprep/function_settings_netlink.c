/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and sets VF settings by rtnetlink, for one PF at a time. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netprep/function_list.h"
#include "netprep/rtnetlink.h"

/*
 * Theory of operation. The kernel reports VFs only together with their PF, at a cost of up to 2 ms
 * per VF under the RTNL lock, so it is asked about one PF and without statistics, and only when a
 * VF's settings are needed; the inventory of VFs comes from sysfs. An InfiniBand PF with a dozen
 * VFs may not fit the message that the kernel makes for it: EMSGSIZE, whatever we do.
 */

static void
on_link(struct nlmsghdr *header, void *data)
{
    function_list_parse(header, data);
}

static void
list_failed(const char *physical_function, int status, GError **error)
{
    g_autofree char *object = g_strdup_printf("physical function %s", physical_function);

    if (status == -EMSGSIZE)
        fault_set(error, FAULT_FUNCTION_FAILED, object,
                  "reduce sriov_numvfs, or use a newer kernel; other cards are not affected",
                  "the kernel cannot list the settings of its VFs: its answer is too long, as it "
                  "is known of InfiniBand cards");
    else
        fault_set(error, FAULT_FUNCTION_FAILED, object,
                  "check that the network card is still there",
                  "the settings of its VFs cannot be read: %s", g_strerror(-status));
}

static GArray *
netlink_list(void *self, const char *physical_function, GError **error)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(FunctionEntry));
    struct nl_msg *message = rtnetlink_link_message(RTM_GETLINK, 0, 0, physical_function);

    if (!message ||
        nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS) < 0)
        g_error("out of memory");
    int status = rtnetlink_query(message, on_link, entries);
    if (status < 0) {
        list_failed(physical_function, status, error);
        return NULL;
    }
    return g_steal_pointer(&entries);
}

/* The tag of 802.1ad has no place in the older attribute, which all drivers know. */
static int
put_vlan(struct nl_msg *message, unsigned index, const FunctionSettings *wanted)
{
    struct ifla_vf_vlan plain = { .vf = index, .vlan = wanted->vlan, .qos = wanted->qos };
    struct ifla_vf_vlan_info outer = {
        .vf = index, .vlan = wanted->vlan, .qos = wanted->qos, .vlan_proto = g_htons(ETH_P_8021AD)
    };

    if (!wanted->vlan_dot1ad || wanted->vlan == 0)
        return nla_put(message, IFLA_VF_VLAN, sizeof(plain), &plain);
    struct nlattr *list = nla_nest_start(message, IFLA_VF_VLAN_LIST);
    if (!list || nla_put(message, IFLA_VF_VLAN_INFO, sizeof(outer), &outer) < 0)
        return -1;
    return nla_nest_end(message, list);
}

static int
put_mac(struct nl_msg *message, unsigned index, const FunctionSettings *wanted)
{
    struct ifla_vf_mac mac = { .vf = index };

    memcpy(mac.mac, wanted->mac, FUNCTION_MAC_BYTES);
    return nla_put(message, IFLA_VF_MAC, sizeof(mac), &mac);
}

static int
put_switch(struct nl_msg *message, int type, unsigned index, gboolean value)
{
    struct ifla_vf_trust setting = { .vf = index, .setting = value };

    return nla_put(message, type, sizeof(setting), &setting);
}

static int
put_guid(struct nl_msg *message, int type, unsigned index, guint64 guid)
{
    struct ifla_vf_guid setting = { .vf = index, .guid = guid };

    return nla_put(message, type, sizeof(setting), &setting);
}

static int
put_rates(struct nl_msg *message, unsigned index, const FunctionSettings *wanted)
{
    struct ifla_vf_rate rate = { .vf = index,
                                 .min_tx_rate = wanted->minimum_rate,
                                 .max_tx_rate = wanted->maximum_rate };

    return nla_put(message, IFLA_VF_RATE, sizeof(rate), &rate);
}

static int
put_option(struct nl_msg *message, unsigned index, FunctionOption option,
           const FunctionSettings *wanted)
{
    struct ifla_vf_link_state link_state = { .vf = index, .link_state = wanted->link_state };

    switch (option) {
    case FUNCTION_OPTION_MAC:
        return put_mac(message, index, wanted);
    case FUNCTION_OPTION_VLAN:
        return put_vlan(message, index, wanted);
    case FUNCTION_OPTION_SPOOF_CHECK:
        return put_switch(message, IFLA_VF_SPOOFCHK, index, wanted->spoof_check);
    case FUNCTION_OPTION_TRUST:
        return put_switch(message, IFLA_VF_TRUST, index, wanted->trust);
    case FUNCTION_OPTION_LINK_STATE:
        return nla_put(message, IFLA_VF_LINK_STATE, sizeof(link_state), &link_state);
    case FUNCTION_OPTION_RATES:
        return put_rates(message, index, wanted);
    case FUNCTION_OPTION_RSS_QUERY:
        return put_switch(message, IFLA_VF_RSS_QUERY_EN, index, wanted->rss_query);
    case FUNCTION_OPTION_NODE_GUID:
        return put_guid(message, IFLA_VF_IB_NODE_GUID, index, wanted->node_guid);
    case FUNCTION_OPTION_PORT_GUID:
        return put_guid(message, IFLA_VF_IB_PORT_GUID, index, wanted->port_guid);
    }
    g_return_val_if_reached(-1);
}

static int
netlink_set(void *self, const char *physical_function, unsigned index, FunctionOption option,
            const FunctionSettings *wanted)
{
    struct nl_msg *message = rtnetlink_link_message(RTM_SETLINK, 0, 0, physical_function);
    struct nlattr *list = message ? nla_nest_start(message, IFLA_VFINFO_LIST) : NULL;
    struct nlattr *info = list ? nla_nest_start(message, IFLA_VF_INFO) : NULL;

    if (!info || put_option(message, index, option, wanted) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    nla_nest_end(message, info);
    nla_nest_end(message, list);
    return rtnetlink_change(message);
}

static char *
netlink_driver(void *self, const char *physical_function)
{
    g_autofree char *path =
        g_build_filename("/sys/class/net", physical_function, "device/driver", NULL);
    g_autofree char *target = g_file_read_link(path, NULL);

    return target ? g_path_get_basename(target) : NULL;
}

/* Cards that have a board's identity (PSID) of their own add it. */
static char *
netlink_firmware(void *self, const char *physical_function)
{
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    struct ifreq request = { .ifr_data = (void *)&info };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    gboolean told;

    g_strlcpy(request.ifr_name, physical_function, sizeof request.ifr_name);
    told = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0;
    if (fd >= 0)
        close(fd);
    info.fw_version[sizeof info.fw_version - 1] = '\0';
    if (!told || !*info.fw_version || g_str_equal(info.fw_version, "N/A"))
        return NULL;
    return g_utf8_make_valid(info.fw_version, -1);
}

static void
netlink_free(void *self)
{
}

FunctionControl *
function_control_new_netlink(void)
{
    static const FunctionControlOps ops = {
        .list = netlink_list,
        .set = netlink_set,
        .driver = netlink_driver,
        .firmware = netlink_firmware,
        .free = netlink_free,
    };

    return function_control_new(&ops, NULL);
}
