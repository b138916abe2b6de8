/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom the guest lately spoke with through its bonds. */
#pragma once

#include "netprep/guest/links.h"

#define NEIGHBOURS_BYTES 8192 /* some hundred lines */

/* The lines of @root's /proc/net/arp (proc(5)) about bonds among @links, as many as fit: "" if
 * there is none or it cannot be read. To be freed by free(); NULL without memory. */
char *neighbours_read(const char *root, const Links *links);
