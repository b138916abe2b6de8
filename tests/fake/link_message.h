/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells about a network device. */
#pragma once

#include <netlink/msg.h>

#include "netprep/guest/links.h"

/* An RTM_NEWLINK message, to be freed by nlmsg_free(). */
struct nl_msg *link_message_new(const Link *link);
