/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SetUpBond: has the guest create the bonds that its passthrough vNICs lack. */
#pragma once

#include "netprep/network_host.h"

/*
 * Starts the job. A vNIC that has a fit bond is left alone; the others are bonded with the VirtIO
 * vNIC of the same MAC, or else with one that is in no bond. @bond (NULL: "bond0") names the first
 * new bond; further ones get the next free number. Its result is the bond of the first vNIC.
 * FAULT_GUEST_NOT_FOUND, FAULT_GUEST_BUSY.
 */
Job *bond_setup_start(const NetworkHost *host, const char *guest, const char *bond, GError **error);
