/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A port of a libvirt network of VFs: libvirt's record that one of them is taken. */
#pragma once

#include <glib.h>

typedef struct {
    char *network; /* name */
    char *uuid;    /* its own */
    char *owner;   /* the guest's name */
    char *owner_uuid;
    char *mac;
    char *function; /* PCI address of the VF */
} NetworkPort;

void network_port_free(NetworkPort *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkPort, network_port_free)
/* A deep copy, for the caller to free. */
NetworkPort *network_port_copy(const NetworkPort *port);

/* Reads libvirt's <networkport> of @network. NULL if it takes no VF, or cannot be read. Pure. */
NetworkPort *network_port_parse(const char *network, const char *xml);
/* Writes it (libvirt's formatnetworkport, since 5.5). FAULT_INVALID_ARGUMENT if function is no PCI
 * address. Owned by the caller. Pure. */
char *network_port_build(const NetworkPort *port, GError **error);
