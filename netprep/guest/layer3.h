/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses and routes of network devices, kept while the devices become ports of a bond. */
#pragma once

#include "netprep/guest/links.h"

#define LAYER3_DEVICES_MAX 2

/* The kernel's own messages about them, to be sent again: for the bond, or for the same devices. */
typedef struct Layer3 Layer3;

/* Reads all that @count (at most LAYER3_DEVICES_MAX) devices have but what the kernel makes by
 * itself for every device that is up: IPv6 link-local addresses and their routes. Lifetimes, flags,
 * labels, metrics, tables, sources and the other hops of a route are part of it; policy rules name
 * no device of theirs and stay. NULL with @failure. */
Layer3 *layer3_read(const Kernel *kernel, const Link *const *links, size_t count, Failure *failure);
void layer3_free(Layer3 *layer3);

/* Whether device number @number had an address. */
bool layer3_has_addresses(const Layer3 *layer3, size_t number);

/* Takes routes and addresses off the devices. */
bool layer3_remove(const Kernel *kernel, const Layer3 *layer3, Failure *failure);
/* Gives all of it to @link, which must be up: addresses, then routes, nearest first. A route by way
 * of a nexthop object becomes one that names the same gateway and device itself. */
bool layer3_move(const Kernel *kernel, const Layer3 *layer3, const Link *link, Failure *failure);
/* Gives it back to the devices that had it; goes on past what fails. */
bool layer3_restore(const Kernel *kernel, const Layer3 *layer3, Failure *failure);

/* Calls @address and @route with each message that layer3_read() kept. */
typedef void (*Layer3Visit)(struct nlmsghdr *header, void *data);
void layer3_visit(const Layer3 *layer3, Layer3Visit address, Layer3Visit route, void *data);
