/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory that looks like /sys to whoever looks for network cards with SR-IOV. */
#pragma once

#include <glib.h>

/* An empty tree in the temporary directory; its path. Freed by fake_sysfs_remove(). */
char *fake_sysfs_new(void);
/* Deletes the tree and frees @root. */
void fake_sysfs_remove(char *root);

/* A PF at @address with VFs without drivers at @functions, by index, each device in an IOMMU group
 * of its own; its network device @name (NULL: none) is up and has a carrier. */
void fake_sysfs_add_card(const char *root, const char *name, const char *address,
                         const char *const *functions);
/* A card with @count VFs at bus @bus (PF) and the buses after it (VFs, at index / 256), each VF
 * with driver igbvf and an idle network device "NAMEvINDEX". */
void fake_sysfs_add_large_card(const char *root, const char *name, unsigned bus, unsigned count);
/* Binds VF @address to @driver (NULL: none). */
void fake_sysfs_bind(const char *root, const char *address, const char *driver);
/* Gives the device at @address network device @name with these flags; virtual device @master (NULL:
 * none), which must be there, is above it. */
void fake_sysfs_add_link(const char *root, const char *address, const char *name, unsigned flags,
                         const char *master);

/* A virtual network device above @lower (NULL: none yet): "bridge", "bond", "vlan", "macvtap" or
 * anything else. */
void fake_sysfs_add_virtual(const char *root, const char *name, const char *kind,
                            const char *lower);
/* Puts virtual device @upper above device @lower. */
void fake_sysfs_stack(const char *root, const char *upper, const char *lower);

/* Puts the device at @address into IOMMU group @number (-1: none). */
void fake_sysfs_set_group(const char *root, const char *address, int number);
/* Another PCI device with this class ("0x060400"), in IOMMU group @number. */
void fake_sysfs_add_device(const char *root, const char *address, const char *class, int number);
/* Sets attribute @name of network device @link, or of the PCI device at @address, to @text; NULL
 * removes it. */
void fake_sysfs_set_link(const char *root, const char *link, const char *name, const char *text);
void fake_sysfs_set_device(const char *root, const char *address, const char *name,
                           const char *text);
/* Takes VF @index away from the PF at @address, as writing sriov_numvfs would, but leaves the count
 * as a reader has seen it before. */
void fake_sysfs_drop_function(const char *root, const char *address, unsigned index);
/* Gives the PF at @address VF @index at @function, which was there before. */
void fake_sysfs_put_function(const char *root, const char *address, unsigned index,
                             const char *function);
/* Takes network device @name away, as moving it to another namespace would. */
void fake_sysfs_hide_link(const char *root, const char *name);
