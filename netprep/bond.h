/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bond inside a guest: judged by what the guest reports, changed through netprep-guest. */
#pragma once

#include "common/guest_agent.h"
#include "netprep/guest_report.h"
#include "netprep/vnic.h"

#define BOND_GUEST_PROGRAM "/usr/sbin/netprep-guest"

/* How to reach a guest. All borrowed. */
typedef struct {
    Hypervisor *hypervisor;
    const char *guest_name;
    const char *guest_uuid;
    unsigned agent_seconds;    /* patience with one agent command */
    GCancellable *cancellable; /* may be NULL */
} BondAccess;

/* @view must outlive it. */
BondAccess bond_access(const NetworkHost *host, const GuestView *view, GCancellable *cancellable);

/* All of the following block, and fail with FAULT_AGENT_UNAVAILABLE, FAULT_AGENT_FAILED,
 * FAULT_TIMED_OUT or FAULT_CANCELLED besides what is said. */

/* What netprep-guest reports, checked. Blocks on the guest. */
GuestReport *bond_report(const BondAccess *access, GError **error);

/* Makes @port the active one of @bond; FAULT_BOND_UNFIT if the guest reports another afterwards. */
gboolean bond_use(const BondAccess *access, const char *bond, const char *port, GError **error);

/* Waits up to @timeout_seconds until the guest has the device at @guest_path, puts it into @bond
 * and makes it primary and active; proven by a report. FAULT_BOND_UNFIT if it is not so in the end.
 */
gboolean bond_join(const BondAccess *access, const char *bond, const char *guest_path,
                   unsigned timeout_seconds, GError **error);

/* Creates active-backup @bond over the devices at @primary_path and with @backup_mac. */
GuestBond *bond_create(const BondAccess *access, const char *bond, const char *primary_path,
                       const char *backup_mac, GError **error);

/*
 * Whether the guest can live without @vnic: FAULT_BOND_UNFIT with the reason and the remedy unless
 * it is in an active-backup bond that watches its links, beside a VirtIO vNIC of @domain with
 * carrier. Sets the vNIC's bond and backup. Pure.
 */
gboolean bond_pair(const GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error);
