/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One route as the kernel tells it: which devices it uses, and the same route over another one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "netprep/rtnetlink.h"

/* All of them take what layer3_message_is_route(). */

/* Whether it is a route to keep: not one that the kernel makes for every address or device, nor a
 * cached one. */
bool layer3_route_is_kept(struct nlmsghdr *header);

/* Whether it, or one of its hops, leaves by the device with @index. */
bool layer3_route_uses(struct nlmsghdr *header, int index);

/* The request @type (RTM_NEWROUTE, RTM_DELROUTE) for the route in @header, with device @to in the
 * place of each of the @count devices in @from; @to 0: as it is. NULL if out of memory. */
struct nl_msg *layer3_route_message(struct nlmsghdr *header, int type, int flags, const int *from,
                                    size_t count, int to);
