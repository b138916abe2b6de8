/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the kernel that runs. */
#include "netprep/guest/kernel.h"

static int
change(const Kernel *kernel, struct nl_msg *message)
{
    return rtnetlink_change(message);
}

static int
query(const Kernel *kernel, struct nl_msg *message, RtnetlinkReply reply, void *data)
{
    return rtnetlink_query(message, reply, data);
}

const Kernel *
kernel_running(void)
{
    static const Kernel running = { .change = change, .query = query, .sysfs = "/sys" };

    return &running;
}
