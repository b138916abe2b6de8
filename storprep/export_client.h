/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* To whom a directory may be exported: one host, by name or address, never to everybody. */
#pragma once

#include <glib.h>

/*
 * Pure. FAULT_SHARE_REFUSED unless @client is a plain host name, an IPv4 or IPv6 address, or a
 * network "ADDRESS/BITS" that lies within one of @networks (NULL-terminated, each valid).
 * Wildcards, netgroups, "any" addresses and option-like text are refused, since exports(5) gives
 * them a wider meaning than one host.
 */
gboolean export_client_check(const char *client, const char *const *networks, GError **error);
