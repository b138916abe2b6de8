/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be plugged into a guest, as its lease has it. */
#pragma once

#include "netprep/network_lease.h"

/* One VF and the vNIC it is to be. All owned. */
typedef struct {
    char *function;          /* host PCI address */
    Vnic *vnic;              /* bond NULL: none to join */
    char *live_xml;          /* device to plug */
    char *config_xml;        /* for the guest's configuration; NULL: leave it alone */
    char **replaced;         /* VFs in whose place it is: not to stay in the configuration */
    gboolean apply_settings; /* else they are left as they are */
    gboolean hand_over;      /* let the guest's bond choose the VF's MAC, if it can */
    gboolean check_free;     /* FAULT_FUNCTION_BUSY unless nobody physically has it; else only
                                if this host's own network uses it */
} PlugRequest;

void plug_request_free(PlugRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlugRequest, plug_request_free)

/*
 * One request for each VF of @lease that can be plugged; of the others the first failure is in
 * *ret_failure, or NULL. A VF that the guest had goes back as it was. One that it never had, which
 * is a reserved one or one that replaces another, is plugged as vnic_device_live() has it, and
 * marked as configured: from then on its settings count as touched. GPtrArray of PlugRequest *,
 * maybe empty. Blocks.
 */
GPtrArray *plug_requests_of(const NetworkHost *host, const Lease *lease, GError **ret_failure);
