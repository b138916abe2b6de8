/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network devices of this host (of this network namespace), and which lies above which. */
#pragma once

#include <glib.h>

typedef enum {
    HOST_LINK_OTHER,
    HOST_LINK_BRIDGE,
    HOST_LINK_BOND,
    HOST_LINK_VLAN,
    HOST_LINK_MACVTAP,
} HostLinkKind;

typedef struct HostLink {
    char *name;
    char *device; /* PCI address, or name on another bus, of what it belongs to; NULL: virtual */
    HostLinkKind kind;
    gboolean in_use_by_address; /* is up and has an address that somebody may be using */
    GPtrArray *uppers;          /* of HostLink *, borrowed; NULL: none */
    struct HostLink *sibling;   /* the next one of the same device, borrowed */
} HostLink;

typedef struct {
    GHashTable *by_name;   /* name -> HostLink * */
    GHashTable *by_device; /* device -> first HostLink *, borrowed */
} HostLinks;

/*
 * Reads class/net below @sysfs, an open directory. One link is read of each device that exists in
 * hardware; only virtual devices (bridges, bonds, VLANs), which lie above others, are opened.
 * @addressed: names of those with an address (link_addresses_read()); NULL: none has. 0 or a
 * negative errno.
 */
int host_links_read(int sysfs, GHashTable *addressed, HostLinks **ret_links);
void host_links_free(HostLinks *links);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostLinks, host_links_free)

/* NULL if there is none. Borrowed. */
const HostLink *host_links_find(const HostLinks *links, const char *name);
/* The first network device of PCI device @device; more by ->sibling. NULL: none. Borrowed. */
const HostLink *host_links_of_device(const HostLinks *links, const char *device);

/* What the host does with @link, as the rest of a sentence about it ("is a port of bond bond1");
 * NULL if nothing: that it exists or is up is no use, since the host's driver makes a device for
 * every VF that no guest has. Owned by the caller. */
char *host_link_use(const HostLink *link);

/* The bridge that has @link, or a bond or VLAN over it, as port; NULL if none. Borrowed. */
const char *host_link_bridge(const HostLink *link);
