/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory that looks like /sys to whoever looks for network cards with SR-IOV. */
#pragma once

#include <glib.h>

/* An empty tree in the temporary directory; its path. Freed by fake_sysfs_remove(). */
char *fake_sysfs_new(void);
/* Deletes the tree and frees @root. */
void fake_sysfs_remove(char *root);

/* A PF with network device @name at @address and VFs without drivers at @functions, by index. */
void fake_sysfs_add_card(const char *root, const char *name, const char *address,
                         const char *const *functions);
/* Binds VF @address to @driver (NULL: none). */
void fake_sysfs_bind(const char *root, const char *address, const char *driver);
/* Gives VF @address network device @name with these flags; @master (NULL: none) is above it. */
void fake_sysfs_add_link(const char *root, const char *address, const char *name, unsigned flags,
                         const char *master);
