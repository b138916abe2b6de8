/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a host as a place for guests, its libvirt left out. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* host.not-in-maintenance, .name-not-localhost, .tls-files, .firewall-open. */
CheckGroup system_check_host(const StorageChecks *checks);
/* host.clock-agrees, .selinux-same, .system-supported: what this host is beside the guest's own. */
CheckGroup system_check_pair(const StorageChecks *checks, const GuestFacts *facts);
