/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes to the VirtIO vNIC that a guest falls back on, each beside its undo. */
#pragma once

#include "netprep/bond.h"

/*
 * Gives the running guest a VirtIO vNIC on @bridge with MAC @mac, in its configuration too if it
 * has one, and waits until the guest has a device for it (host->config->attach_seconds). What
 * fails is undone. FAULT_HYPERVISOR_FAILED, FAULT_TIMED_OUT, FAULT_CANCELLED, and what
 * bond_report() fails with. Blocks.
 */
gboolean backup_vnic_add(const NetworkHost *host, const BondAccess *access, const char *bridge,
                         const char *mac, GError **error);
/* The undo: takes the VirtIO vNIC with @mac out again. A guest without one is no error. Blocks. */
gboolean backup_vnic_remove(const NetworkHost *host, const char *guest_uuid, const char *mac,
                            GError **error);

/* A vNIC as libvirt had it before a change. */
typedef struct {
    char *live;
    char *config; /* NULL: not in the configuration */
} BackupVnicXml;
void backup_vnic_xml_clear(BackupVnicXml *xml);

/* Takes the network filter off @nic of the running guest, and off its configuration. *ret_before is
 * what it was. Blocks. */
gboolean backup_vnic_remove_filter(const NetworkHost *host, const GuestView *view,
                                   const DomainVirtioNic *nic, BackupVnicXml *ret_before,
                                   GError **error);
/* The undo: makes it @before again. Blocks. */
gboolean backup_vnic_restore(const NetworkHost *host, const char *guest_uuid,
                             const BackupVnicXml *before, GError **error);
