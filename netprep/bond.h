/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bond inside a guest: judged by what the guest reports, changed through netprep-guest or,
 * where the guest runs nothing of ours, through the files of its agent. */
#pragma once

#include "common/guest_agent.h"
#include "netprep/guest_report.h"
#include "netprep/vnic.h"

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

/* A bond to be created. All borrowed. */
typedef struct {
    const char *primary_path;      /* guest path of the passthrough NIC */
    const char *backup_mac;        /* MAC of the VirtIO NIC */
    gboolean fail_over_mac_active; /* each port keeps its MAC; FALSE: all have the bond's */
} BondPlan;

/* All of the following block, and fail with FAULT_AGENT_UNAVAILABLE, FAULT_AGENT_FAILED,
 * FAULT_TIMED_OUT or FAULT_CANCELLED besides what is said. */

/* What the guest says of its network devices, checked. Blocks on the guest. */
GuestReport *bond_report(const BondAccess *access, GError **error);

/* Makes @port the active one of @bond; FAULT_BOND_UNFIT if the guest reports another afterwards. */
gboolean bond_use(const BondAccess *access, const char *bond, const char *port, GError **error);

/* Waits up to @timeout_seconds until the guest has the device at @guest_path, puts it into @bond
 * and makes it primary and active; proven by a report. FAULT_BOND_UNFIT if it is not so in the end.
 */
gboolean bond_join(const BondAccess *access, const char *bond, const char *guest_path,
                   unsigned timeout_seconds, GError **error);

/* Creates active-backup @bond. FAULT_AGENT_FAILED if the guest has no netprep-guest. */
GuestBond *bond_create(const BondAccess *access, const char *bond, const BondPlan *plan,
                       GError **error);

/* Sets the options of @bond that bond_pair() has advice for. Fails like bond_create(). */
gboolean bond_repair(const BondAccess *access, const char *bond, GError **error);

/*
 * Whether the guest can live without @vnic: FAULT_BOND_UNFIT with the reason and the remedy unless
 * it is in an active-backup bond that watches its links, beside a VirtIO vNIC of @domain with
 * carrier and without a filter against the bond's MAC. Sets the vNIC's bond and backup, and the
 * advice of the bond in @report: what is not wrong, but could be better. Pure.
 */
gboolean bond_pair(GuestReport *report, const DomainXml *domain, Vnic *vnic, GError **error);

/* The VirtIO vNIC of @domain that is @vnic's backup, or NULL. Borrowed. Pure. */
const DomainVirtioNic *bond_backup_nic(const GuestReport *report, const DomainXml *domain,
                                       const Vnic *vnic);
