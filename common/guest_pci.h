/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's PCI topology as its domain XML describes it. */
#pragma once

#include "common/pci_address.h"
#include "common/xml_tree.h"

/* The PCI address in @node's <address type='pci'> (a <source>'s may leave the type out); FALSE if
 * there is none or a number is out of range. */
gboolean guest_pci_read_address(const xmlNode *node, PciAddress *ret_address);

/* Adds <address> to @parent; @typed: with type='pci', as everywhere but in a hostdev's source. */
void guest_pci_add_address(xmlNode *parent, const PciAddress *address, gboolean typed);

/*
 * "02.3/00.0": slot and function of every hop from the root bus to the device at @address, found by
 * following the PCI controllers of @devices upwards. A guest numbers its buses itself, so this and
 * not the address is what its sysfs path can be compared with. NULL if a bus has no controller.
 */
char *guest_pci_path(const xmlNode *devices, const PciAddress *address);
