/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The servers of a guest's network disks, which QEMU itself connects to. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    char *disk;     /* "vda" */
    char *protocol; /* rbd | iscsi | nbd | ... */
    char *host;     /* a name or an address */
    guint16 port;   /* the protocol's usual one where none is given */
} DomainServer;

/* Those that @xml, a domain, names, in its order: GPtrArray of DomainServer *, at most LIMIT_DISKS.
 * Left out are local sockets, and protocols without a usual port that name none.
 * FAULT_HYPERVISOR_FAILED if @xml is malformed, FAULT_LIMIT_EXCEEDED. */
GPtrArray *domain_servers_parse(const char *xml, GError **error);
