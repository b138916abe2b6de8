/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what netprepd's database says with what its host is like, by nobody's word but theirs.
 */
#pragma once

#include "fake/migration_host.h"

/*
 * Reads the database by SQL of its own, and the fake host as it is; nothing of netprepd's is asked.
 * Fails the test unless the database is sound, no VF is held twice or in two places of the guest,
 * and whatever differs from a host that netprepd never touched (settings and driver of a VF, its
 * port in a network of libvirt, an entry for the guest's MAC on the PF) belongs to a lease or to
 * the guest that has the VF.
 */
void network_audit(const MigrationHost *host);
/* Also: there is no lease at all. */
void network_audit_empty(const MigrationHost *host);
