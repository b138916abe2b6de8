/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of this host's network devices have an address that somebody may be using. */
#pragma once

#include <glib.h>

/* Names of all links with an IPv4 or a routable IPv6 address, as a set; a link-local address alone
 * comes from the kernel and means nothing. Owned. FAULT_INTERNAL. */
GHashTable *link_addresses_read(GError **error);
