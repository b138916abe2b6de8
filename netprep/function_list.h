/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VFs in the kernel's description of their PF. */
#pragma once

#include <netlink/msg.h>

#include "netprep/function_settings.h"

/*
 * Appends a FunctionEntry to @entries for each VF that the RTM_NEWLINK message describes, in the
 * order of the message. The list's length has 16 bits and wraps at some 220 VFs
 * (vishvananda/netlink issue 960), so it is not believed: the VFs go on in the message up to the
 * first attribute that is none. Pure; never reads past the message.
 */
void function_list_parse(struct nlmsghdr *header, GArray *entries);
