/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the C library for the addresses of all links. */
#include "netprep/link_addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "common/fault.h"

static gboolean
is_somebodys(const struct sockaddr *address)
{
    if (!address)
        return FALSE;
    if (address->sa_family == AF_INET)
        return TRUE;
    if (address->sa_family != AF_INET6)
        return FALSE;
    return !IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

GHashTable *
link_addresses_read(GError **error)
{
    struct ifaddrs *addresses = NULL;

    if (getifaddrs(&addresses) < 0) {
        fault_set(error, FAULT_INTERNAL, "network addresses of this host", NULL,
                  "cannot be listed: %s", g_strerror(errno));
        return NULL;
    }
    GHashTable *links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const struct ifaddrs *entry = addresses; entry; entry = entry->ifa_next) {
        if (is_somebodys(entry->ifa_addr))
            g_hash_table_add(links, g_strdup(entry->ifa_name));
    }
    freeifaddrs(addresses);
    return links;
}
