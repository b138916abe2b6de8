/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The job behind SetUpBond. */
#pragma once

#include "netprep/network_host.h"

/* What SetUpBond may do besides creating what is missing. */
typedef struct {
    const char *bond;              /* name for a new one; NULL: the first free bondN */
    gboolean fail_over_mac_active; /* a new one leaves each port its own MAC */
    gboolean repair;               /* an existing one gets the recommended options */
    gboolean remove_filter;        /* off the VirtIO vNIC */
} BondSetupRequest;

/*
 * Starts a job that gives every passthrough vNIC of running @guest (name or UUID) its active-backup
 * bond; a VirtIO vNIC is added on the bridge of the same physical network if the guest has none to
 * spare. Each vNIC that fails is left as it was. The job's result is the first bond. @request is
 * copied. Blocks briefly.
 */
Job *bond_setup_start(const NetworkHost *host, const char *guest, const BondSetupRequest *request,
                      GError **error);
