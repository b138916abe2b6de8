/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One rtnetlink request at a time, with the kernel's own errno. Used on hosts and in guests, so it
 * needs libnl-3 only. */
#pragma once

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

/* A message about a link: by @index, or by @name when @index is 0 (@name NULL: all links, for a
 * dump). NULL if out of memory. */
struct nl_msg *rtnetlink_link_message(int type, int flags, int index, const char *name);

/* Sends @message, which is freed, and waits for the acknowledgement. 0 or a negative errno. */
int rtnetlink_change(struct nl_msg *message);

/* Sends @message, which is freed, and hands every message of the answer to @reply. 0 or a negative
 * errno; -EINTR if a dump was overtaken by a change, so that its answers may not fit together. */
typedef void (*RtnetlinkReply)(struct nlmsghdr *header, void *data);
int rtnetlink_query(struct nl_msg *message, RtnetlinkReply reply, void *data);
