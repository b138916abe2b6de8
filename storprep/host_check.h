/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of this host's libvirt: that it answers, and that it can take a guest. */
#pragma once

#include "storprep/guest_facts.h"
#include "storprep/storage_check.h"

/* host.libvirt-answers. */
CheckGroup host_check_libvirt(const StorageChecks *checks);
/* guest.absent-there, guest.machine-known-there. */
CheckGroup host_check_guest(const StorageChecks *checks, const GuestFacts *facts);
/* host.hypervisor-same, .version-not-older, .cpu-compatible, .vcpus-fit, .memory-enough,
 * .huge-pages-enough. */
CheckGroup host_check_fit(const StorageChecks *checks, const GuestFacts *facts);
