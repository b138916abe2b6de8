/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges the names of hosts that an administrator types. */
#pragma once

#include <glib.h>

/* FAULT_INVALID_ARGUMENT unless @name is a plain host name or IPv4 address: it becomes an argument
 * of ssh and a part of libvirt's URI, where options, users and quotes would mean something else. */
gboolean host_name_check(const char *name, GError **error);

/* Whether @name means the host called @own: equal, equal in the first label if one of the two is
 * not qualified, or a name of the loopback. */
gboolean host_name_is_own(const char *name, const char *own);
