/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way through this host's firewall that an export asked for. */
#pragma once

#include "storprep/share_kind.h"

/* The asset for it: several exports have it in common. */
LeaseAsset *firewall_hole_new(void);
