/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What netprep-guest can be told to do. */
#pragma once

#include <jansson.h>

#include "netprep/guest/links.h"

/* Each verb returns the JSON it prints, or NULL with @failure, and blocks until it is done. */

/* All network devices and bonds. */
json_t *verb_report(const Kernel *kernel, Failure *failure);

/* Makes @port the active one of @bond and has the bond prefer none, so that it stays so. */
json_t *verb_use(const Kernel *kernel, const char *bond, const char *port, Failure *failure);

/* Waits until the device at @pci_path is there and has a link, makes it a port of @bond, preferred
 * and active. */
json_t *verb_join(const Kernel *kernel, const char *bond, const char *pci_path,
                  unsigned timeout_seconds, Failure *failure);

typedef struct {
    const char *bond;
    const char *primary_path;
    const uint8_t *backup_mac;
    uint32_t fail_over_mac; /* BOND_FAIL_OVER_MAC_NONE or _ACTIVE */
} CreateBond;

/* Creates an active-backup bond over the devices at @primary_path and with @backup_mac and moves
 * their addresses and routes to it; if any of it fails, all is put back. Changes nothing if it is
 * so. */
json_t *verb_create_bond(const Kernel *kernel, const CreateBond *request, Failure *failure);
