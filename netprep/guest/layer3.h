/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network device's addresses and routes, kept while it becomes the port of a bond. */
#pragma once

#include "netprep/guest/links.h"

/* The kernel's own messages about them, to be sent again for another device. */
typedef struct Layer3 Layer3;

/* Reads what administrators and address services gave to @link: no link-local or temporary
 * addresses, and no routes that the kernel or router advertisements make anew. NULL with
 * @failure. */
Layer3 *layer3_read(const Link *link, Failure *failure);
void layer3_free(Layer3 *layer3);

/* Takes the addresses off @link, and their routes with them. */
bool layer3_remove(const Layer3 *layer3, const Link *link, Failure *failure);
/* Gives all of it to @link, which must be up: addresses, then routes, nearest first. */
bool layer3_add(const Layer3 *layer3, const Link *link, Failure *failure);
