/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a guest on its own host: whether libvirt can move it at all. */
#pragma once

#include "storprep/check_subject.h"

/* guest.exists. */
CheckGroup guest_check_exists(CheckSubject *subject);
/* guest.running, .no-job, .no-snapshot, .not-transient-disk, for a guest that exists; tells the
 * other host what the guest needs, its disks left out. */
CheckGroup guest_check_state(CheckSubject *subject);
