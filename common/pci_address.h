/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCI addresses, as text "0000:01:10.2" and as numbers. */
#pragma once

#include <glib.h>

typedef struct {
    guint domain;   /* 0-0xffff */
    guint bus;      /* 0-0xff */
    guint slot;     /* 0-0x1f */
    guint function; /* 0-7 */
} PciAddress;

/* Accepts exactly the form that sysfs and pci_address_format() use, nothing around it. */
gboolean pci_address_parse(const char *text, PciAddress *ret_address);
char *pci_address_format(const PciAddress *address);
