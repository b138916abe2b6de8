/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the textual form of a PCI address. */
#include "common/pci_address.h"

#include <string.h>

static gboolean
parse_hex(const char *text, size_t digits, guint maximum, guint *ret_value)
{
    guint value = 0;

    for (size_t i = 0; i < digits; i++) {
        int digit = g_ascii_xdigit_value(text[i]);

        if (digit < 0)
            return FALSE;
        value = value * 16 + (guint)digit;
    }
    if (value > maximum)
        return FALSE;
    *ret_value = value;
    return TRUE;
}

gboolean
pci_address_parse(const char *text, PciAddress *ret_address)
{
    PciAddress address = { 0 };

    if (strnlen(text, 13) != 12 || text[4] != ':' || text[7] != ':' || text[10] != '.')
        return FALSE;
    if (!parse_hex(text, 4, 0xffff, &address.domain) ||
        !parse_hex(text + 5, 2, 0xff, &address.bus) ||
        !parse_hex(text + 8, 2, 0x1f, &address.slot) ||
        !parse_hex(text + 11, 1, 7, &address.function))
        return FALSE;
    *ret_address = address;
    return TRUE;
}

char *
pci_address_format(const PciAddress *address)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", address->domain, address->bus, address->slot,
                           address->function);
}
