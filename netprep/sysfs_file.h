/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small files, links and directories of sysfs, read below an open directory without allocating. */
#pragma once

#include <glib.h>

/*
 * Everything returns 0 or a negative errno. What a device does not have, or has no more, is not a
 * failure of reading: sysfs_is_absent() tells it from a process that is out of descriptors, which
 * must never look like a host without devices. Nothing blocks longer than the kernel takes.
 */

#define SYSFS_TEXT_BYTES 256

/* The status means that the thing does not exist, now or ever. */
gboolean sysfs_is_absent(int status);

/* Opens directory @path below @directory; the descriptor (to be closed) or a negative errno. */
int sysfs_open(int directory, const char *path);

/* The first line of a file, without the white space around it, cut at SYSFS_TEXT_BYTES - 1. */
int sysfs_read_text(int directory, const char *path, char ret_text[SYSFS_TEXT_BYTES]);
/* A number in C's notation; a file without one is -EINVAL. */
int sysfs_read_number(int directory, const char *path, gint64 *ret_number);
/* The last part of where a symbolic link points: an address, a driver, a group. */
int sysfs_read_link(int directory, const char *path, char ret_name[SYSFS_TEXT_BYTES]);

/* Calls @visit with every name in directory @path below @directory, in no order, until one returns
 * other than 0, which is then the result. @inside is the listed directory. */
typedef int (*SysfsVisit)(int inside, const char *name, void *data);
int sysfs_each(int directory, const char *path, SysfsVisit visit, void *data);
