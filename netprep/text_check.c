/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks names and addresses that others supply. */
#include "netprep/text_check.h"

#include <net/if.h>
#include <string.h>

#include "common/limits.h"

#define PCI_HOPS_MAX 16

/* @shape: 'x' stands for a lower-case hexadecimal digit, 'X' for one of either case, '7' for an
 * octal digit, everything else for itself. */
static gboolean
has_shape(const char *text, const char *shape, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        gboolean fits = text[i] == shape[i];

        if (shape[i] == 'x')
            fits = g_ascii_isxdigit(text[i]) && !g_ascii_isupper(text[i]);
        else if (shape[i] == 'X')
            fits = g_ascii_isxdigit(text[i]);
        else if (shape[i] == '7')
            fits = text[i] >= '0' && text[i] <= '7';
        if (!fits)
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_shape(const char *text, const char *shape)
{
    gsize length = strlen(shape);

    return text && strlen(text) == length && has_shape(text, shape, length);
}

gboolean
text_is_pci_address(const char *text)
{
    return is_shape(text, "xxxx:xx:xx.7");
}

gboolean
text_is_pci_path(const char *text)
{
    const char *const hop = "xx.7";
    gsize hop_length = strlen(hop);

    if (!text)
        return FALSE;
    for (unsigned hops = 0; hops < PCI_HOPS_MAX; hops++) {
        if (strlen(text) < hop_length || !has_shape(text, hop, hop_length))
            return FALSE;
        text += hop_length;
        if (!*text)
            return TRUE;
        if (*text++ != '/')
            return FALSE;
    }
    return FALSE;
}

gboolean
text_is_mac(const char *text)
{
    return is_shape(text, "XX:XX:XX:XX:XX:XX");
}

gboolean
text_is_link_name(const char *text)
{
    gsize length = text ? strlen(text) : 0;

    if (length == 0 || length >= IFNAMSIZ || g_str_equal(text, ".") || g_str_equal(text, ".."))
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        if (!g_ascii_isgraph(text[i]) || text[i] == '/' || text[i] == ':')
            return FALSE;
    }
    return text[0] != '-';
}

gboolean
text_is_name(const char *text)
{
    if (!text || !*text || strlen(text) > LIMIT_NAME_BYTES || !g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        if (!g_unichar_isprint(g_utf8_get_char(at)))
            return FALSE;
    }
    return TRUE;
}
