/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of this host's libvirt: that it answers, and that it can take a guest. */
#pragma once

#include "storprep/check_subject.h"
#include "storprep/guest_facts.h"

/* host.libvirt-answers. */
CheckGroup host_check_libvirt(CheckSubject *subject);
/* guest.absent-there, guest.machine-known-there. */
CheckGroup host_check_guest(CheckSubject *subject, const GuestFacts *facts);
/* host.hypervisor-same, .version-not-older, .cpu-compatible, .vcpus-fit, .memory-enough,
 * .huge-pages-enough. */
CheckGroup host_check_fit(CheckSubject *subject, const GuestFacts *facts);
