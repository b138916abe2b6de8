/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs one VF into a running guest and sees it become the bond's active port. */
#pragma once

#include "netprep/network_lease.h"

typedef struct {
    const char *guest_uuid;
    const char *function;             /* host PCI address */
    const char *mac;                  /* of the device in the configuration; may be NULL */
    const char *live_xml;             /* device to plug */
    const char *config_xml;           /* for the guest's configuration; NULL: leave it alone */
    const FunctionSettings *settings; /* NULL: as they are */
    gboolean clear_mac;               /* let the guest's bond choose the VF's MAC */
    gboolean check_free;              /* FAULT_FUNCTION_BUSY unless nobody physically has it */
    const char *bond;                 /* NULL: none to join */
    const char *guest_path;
} PlugRequest;

/*
 * Asks libvirt what is there and does what is missing, so a repeat goes on where it failed. The
 * settings come before the device, so that the guest never sees a VF which refuses its MAC. Tries a
 * few times, waiting for a libvirt or agent event between; @job (may be NULL) can cancel that.
 * FAULT_GUEST_NOT_RUNNING, and what libvirt, the driver or the guest's agent refuses. Blocks.
 */
gboolean plug_function(const NetworkHost *host, Job *job, const PlugRequest *request,
                       GError **error);
