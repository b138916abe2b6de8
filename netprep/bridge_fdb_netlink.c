/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and changes forwarding entries by rtnetlink. */
#include <errno.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <string.h>

#include "netprep/bridge_fdb.h"
#include "netprep/rtnetlink.h"

#define MAC_BYTES 6

typedef struct {
    int index;
    GArray *entries;
} Listing;

/* The kernel's words for what a bridge learned: neither set to stay (NOARP) nor its own
 * (PERMANENT), and not told by a switch driver. */
static gboolean
is_learned(const struct ndmsg *message)
{
    return !(message->ndm_flags & (NTF_SELF | NTF_EXT_LEARNED)) &&
           !(message->ndm_state & (NUD_PERMANENT | NUD_NOARP));
}

static void
on_entry(struct nlmsghdr *header, void *data)
{
    const Listing *listing = data;
    struct nlattr *attributes[NDA_MAX + 1];
    const struct ndmsg *message = nlmsg_data(header);

    if (header->nlmsg_type != RTM_NEWNEIGH ||
        nlmsg_parse(header, sizeof(*message), attributes, NDA_MAX, NULL) < 0 ||
        message->ndm_ifindex != listing->index || !attributes[NDA_LLADDR] ||
        nla_len(attributes[NDA_LLADDR]) != MAC_BYTES)
        return;
    FdbEntry entry = { .self = (message->ndm_flags & NTF_SELF) != 0,
                       .learned = is_learned(message),
                       .vlan = attributes[NDA_VLAN] ? nla_get_u16(attributes[NDA_VLAN]) : 0 };
    memcpy(entry.mac, nla_data(attributes[NDA_LLADDR]), MAC_BYTES);
    g_array_append_val(listing->entries, entry);
}

/* The header is one of links, since that is what the kernel reads the device to list from. */
static struct nl_msg *
list_message(int index)
{
    struct ifinfomsg info = { .ifi_family = AF_BRIDGE, .ifi_index = index };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_DUMP);

    if (!message || nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) < 0)
        g_error("out of memory");
    return message;
}

static int
netlink_list(void *self, const char *port, GArray **ret_entries)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(FdbEntry));
    Listing listing = { (int)if_nametoindex(port), entries };

    if (listing.index == 0)
        return -ENODEV;
    int status = rtnetlink_query(list_message(listing.index), on_entry, &listing);
    /* A table that changes while it is read is nothing unusual: entries come and go with traffic,
     * and ours do not. */
    if (status < 0 && status != -EINTR)
        return status;
    *ret_entries = g_steal_pointer(&entries);
    return 0;
}

static int
change(int type, int flags, const char *port, const FdbEntry *entry)
{
    struct ndmsg data = { .ndm_family = AF_BRIDGE,
                          .ndm_ifindex = (int)if_nametoindex(port),
                          .ndm_state = NUD_PERMANENT,
                          .ndm_flags = entry->self ? NTF_SELF : NTF_MASTER };
    struct nl_msg *message = data.ndm_ifindex ? nlmsg_alloc_simple(type, flags) : NULL;

    if (!data.ndm_ifindex)
        return -ENODEV;
    if (!message || nlmsg_append(message, &data, sizeof(data), NLMSG_ALIGNTO) < 0 ||
        nla_put(message, NDA_LLADDR, MAC_BYTES, entry->mac) < 0 ||
        (entry->vlan && nla_put_u16(message, NDA_VLAN, entry->vlan) < 0))
        g_error("out of memory");
    return rtnetlink_change(message);
}

static int
netlink_add(void *self, const char *port, const guint8 *mac)
{
    FdbEntry entry = { .self = TRUE };

    memcpy(entry.mac, mac, MAC_BYTES);
    return change(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, port, &entry);
}

static int
netlink_remove(void *self, const char *port, const FdbEntry *entry)
{
    return change(RTM_DELNEIGH, 0, port, entry);
}

static void
netlink_free(void *self)
{
}

BridgeFdb *
bridge_fdb_new_netlink(void)
{
    static const FdbOps ops = { netlink_list, netlink_add, netlink_remove, netlink_free };

    return bridge_fdb_new(&ops, NULL);
}
