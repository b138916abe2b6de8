/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the kernel for all addresses, which are few, and for no link, which may be thousands. */
#include "netprep/link_addresses.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "common/fault.h"
#include "netprep/rtnetlink.h"

/* How often the answer may be overtaken by a change before we give up. */
#define TRIES 8

static gboolean
is_link_local(const struct nlmsghdr *header)
{
    const struct nlattr *address =
        nlmsg_find_attr((struct nlmsghdr *)header, sizeof(struct ifaddrmsg), IFA_ADDRESS);
    struct in6_addr bytes;

    if (!address || nla_len(address) < (int)sizeof(bytes))
        return FALSE;
    memcpy(&bytes, nla_data(address), sizeof(bytes));
    return IN6_IS_ADDR_LINKLOCAL(&bytes);
}

static void
on_address(struct nlmsghdr *header, void *links)
{
    const struct ifaddrmsg *address = nlmsg_data(header);
    char name[IF_NAMESIZE];

    if (header->nlmsg_type != RTM_NEWADDR || !nlmsg_valid_hdr(header, sizeof(struct ifaddrmsg)))
        return;
    if (address->ifa_family != AF_INET &&
        (address->ifa_family != AF_INET6 || is_link_local(header)))
        return;
    if (if_indextoname(address->ifa_index, name))
        g_hash_table_add(links, g_strdup(name));
}

static int
query(GHashTable *links)
{
    struct ifaddrmsg all = { .ifa_family = AF_UNSPEC };
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETADDR, NLM_F_DUMP);

    if (!message || nlmsg_append(message, &all, sizeof(all), NLMSG_ALIGNTO) < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return rtnetlink_query(message, on_address, links);
}

GHashTable *
link_addresses_read(GError **error)
{
    g_autoptr(GHashTable) links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    int status = -EINTR;

    for (unsigned try = 0; try < TRIES && status == -EINTR; try++) {
        g_hash_table_remove_all(links);
        status = query(links);
    }
    if (status == 0)
        return g_steal_pointer(&links);
    fault_set(error, FAULT_INTERNAL, "network addresses of this host",
              "see how many files the daemon may open", "cannot be listed: %s",
              g_strerror(-status));
    return NULL;
}
