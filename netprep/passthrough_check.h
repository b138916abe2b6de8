/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what is passed through to guests: that this host can, and what a guest has of it. */
#pragma once

#include "netprep/guest_subject.h"

/* host.iommu-on, host.vfio-present. */
CheckGroup passthrough_check_host(const NetworkHost *host);
/* guest.no-host-devices; tells the other host the guest's networks, bridges and vNICs. */
CheckGroup passthrough_check_guest(GuestSubject *subject);
