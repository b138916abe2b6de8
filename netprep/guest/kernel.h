/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel that the guest's network is read from and changed in: its rtnetlink and its sysfs. All
 * that changes a network goes through this table, so that each call can be made to fail. */
#pragma once

#include "netprep/rtnetlink.h"

typedef struct Kernel Kernel;

struct Kernel {
    /* As rtnetlink_change() and rtnetlink_query(): both take @message, and block. */
    int (*change)(const Kernel *kernel, struct nl_msg *message);
    int (*query)(const Kernel *kernel, struct nl_msg *message, RtnetlinkReply reply, void *data);
    const char *sysfs; /* where it is mounted */
};

/* The running one. */
const Kernel *kernel_running(void);
