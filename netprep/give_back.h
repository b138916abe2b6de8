/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes VFs of a lease free again. */
#pragma once

#include "netprep/network_lease.h"

/* What a lease's VFs and its guest are like at one moment. */
typedef struct {
    const NetworkHost *host; /* borrowed */
    const Lease *lease;      /* borrowed */
    const FunctionInventory *inventory;
    FunctionInventory *survey; /* the same, if it was made for this */
    GuestView *view;           /* NULL: libvirt does not know the guest */
} GiveBack;

/* @inventory: a survey of just now, borrowed; NULL: one is made. Blocks. */
GiveBack *give_back_new(const NetworkHost *host, const Lease *lease,
                        const FunctionInventory *inventory, GError **error);
void give_back_free(GiveBack *give_back);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GiveBack, give_back_free)

/*
 * Proves that nobody uses the VF of @asset any more, resets its settings if they may have been
 * changed, puts it back into the configuration of a guest that is only shut off, and drops it from
 * the lease; @last: it is left there, to go with the lease, which saves a write.
 * FAULT_FUNCTION_BUSY, or what the driver refuses. A VF that the host does not have any more needs
 * nothing. Blocks.
 */
gboolean give_back_function(const GiveBack *give_back, const LeaseAsset *asset, gboolean last,
                            GError **error);
