/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the rules for host names. */
#include "common/host_name.h"

#include <string.h>

#include "common/fault.h"

#define HOST_NAME_BYTES 253 /* RFC 1035 2.3.4, without the root's dot */

static gboolean
is_plain(const char *name)
{
    if (!g_ascii_isalnum(name[0]) || strlen(name) > HOST_NAME_BYTES)
        return FALSE;
    for (const char *c = name; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr(".-_", *c))
            return FALSE;
    }
    return TRUE;
}

gboolean
host_name_check(const char *name, GError **error)
{
    if (is_plain(name))
        return TRUE;
    g_autofree char *shown = g_strescape(name, NULL);
    g_autofree char *object = g_strdup_printf("host '%.64s'", shown);
    fault_set(
        error, FAULT_INVALID_ARGUMENT, object,
        "give the name under which ssh and libvirt reach the host, e.g. host2.example.com",
        "not a host name: letters, digits, '.', '-' and '_' only, the first a letter or digit");
    return FALSE;
}

gboolean
host_name_is_own(const char *name, const char *own)
{
    size_t label = strcspn(name, ".");

    if (g_ascii_strcasecmp(name, "localhost") == 0 || g_str_has_prefix(name, "127.") ||
        g_ascii_strcasecmp(name, own) == 0)
        return TRUE;
    if (name[label] && strchr(own, '.'))
        return FALSE;
    return label == strcspn(own, ".") && g_ascii_strncasecmp(name, own, label) == 0;
}
