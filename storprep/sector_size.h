/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In what pieces storage can be written past the page cache, as disks with cache mode none are. */
#pragma once

#include <glib.h>

/* The logical block size of what @path lies on, in bytes; 0 if that is no block device of this host
 * (a network file system, btrfs, tmpfs), or cannot be told. @root: "", or a directory that stands
 * for "/" of sysfs. Blocks on the path's file system. */
unsigned sector_size_find(const char *root, const char *path);
