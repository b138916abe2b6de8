/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the rule of who counts as one named host. */
#include "storprep/export_client.h"

#include <gio/gio.h>
#include <string.h>

#include "common/fault.h"
#include "common/limits.h"

#define LABEL_BYTES_MAX 63 /* RFC 1035, 2.3.4 */

static gboolean
is_label(const char *label)
{
    size_t length = strlen(label);

    if (length == 0 || length > LABEL_BYTES_MAX || label[0] == '-' || label[length - 1] == '-')
        return FALSE;
    for (const char *c = label; *c; c++) {
        if (!g_ascii_isalnum(*c) && *c != '-')
            return FALSE;
    }
    return TRUE;
}

/* As RFC 1123 has them. A name of digits alone would be an address that was mistyped. */
static gboolean
is_host_name(const char *text)
{
    g_auto(GStrv) labels = g_strsplit(text, ".", -1);
    guint count = g_strv_length(labels);

    for (guint i = 0; i < count; i++) {
        if (!is_label(labels[i]))
            return FALSE;
    }
    return count > 0 && strspn(labels[count - 1], "0123456789") != strlen(labels[count - 1]);
}

static gboolean
is_one_host_address(const char *text)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(text);

    return address && !g_inet_address_get_is_any(address) &&
           !g_inet_address_get_is_multicast(address);
}

static GInetAddressMask *
parse_network(const char *text)
{
    GInetAddressMask *mask =
        strchr(text, '/') ? g_inet_address_mask_new_from_string(text, NULL) : NULL;

    return mask;
}

static gboolean
is_within(GInetAddressMask *network, const char *const *networks)
{
    for (const char *const *text = networks; *text; text++) {
        g_autoptr(GInetAddressMask) allowed = parse_network(*text);

        if (allowed &&
            g_inet_address_mask_get_length(allowed) <= g_inet_address_mask_get_length(network) &&
            g_inet_address_mask_matches(allowed, g_inet_address_mask_get_address(network)))
            return TRUE;
    }
    return FALSE;
}

static gboolean
refuse(GError **error, const char *client, const char *remedy, const char *cause)
{
    g_autofree char *object = g_strdup_printf("host '%.*s'", LIMIT_NAME_BYTES, client);

    fault_set(error, FAULT_SHARE_REFUSED, object, remedy, "%s", cause);
    return FALSE;
}

gboolean
export_client_check(const char *client, const char *const *networks, GError **error)
{
    g_autoptr(GInetAddressMask) network = parse_network(client);

    if (strlen(client) > LIMIT_NAME_BYTES)
        return refuse(error, client, "name the host as its resolver knows it", "it is too long");
    if (network && !is_within(network, networks))
        return refuse(error, client,
                      "name the host, or allow the network with export-networks in migprep.conf",
                      "it is a network, and no export network of this host holds it");
    if (network || is_host_name(client) || is_one_host_address(client))
        return TRUE;
    return refuse(error, client, "name one host, by name or address",
                  "it is not the name or address of one host");
}
