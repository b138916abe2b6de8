/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the kernel's messages about addresses and routes have the form that rtnetlink(7) gives
 * them, so that whoever reads or repeats them need not ask. */
#pragma once

#include <stdbool.h>

#include "netprep/rtnetlink.h"

/* RTM_NEWADDR of IPv4 or IPv6: its header and the attributes that are read are as long as they
 * should be, texts end. Pure; never reads past the message. */
bool layer3_message_is_address(struct nlmsghdr *header);
/* Likewise for RTM_NEWROUTE. */
bool layer3_message_is_route(struct nlmsghdr *header);
