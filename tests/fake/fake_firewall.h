/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A firewall in memory. */
#pragma once

#include "storprep/firewall.h"

typedef struct {
    gboolean active;
    gboolean open;
    gboolean permanent; /* its permanent rules let NFS in, too */
    gboolean fails;     /* set_open() fails */
} FakeFirewall;

/* The link to @fake, which is borrowed. */
Firewall *fake_firewall_get(FakeFirewall *fake);
