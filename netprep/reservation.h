/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds free VFs for a guest that is to come to this host. */
#pragma once

#include "netprep/network_lease.h"

typedef struct {
    const char *owner;
    const char *token;
    const char *guest_name;
    const char *guest_uuid;
    const json_t *vnics; /* of the type Vnic */
    unsigned timeout_seconds;
} ReservationRequest;

/*
 * Holds one free VF on its physical network for each vNIC that is unplugged for the journey, or
 * none at all. A repeat with the same owner and token returns the same lease. Changes nothing but
 * the lease database. Blocks. FAULT_NO_FREE_FUNCTION, FAULT_LEASE_CONFLICT, FAULT_GUEST_BUSY (the
 * guest is here already), FAULT_INVALID_ARGUMENT.
 */
Lease *reservation_create(const NetworkHost *host, const ReservationRequest *request,
                          GError **error);
