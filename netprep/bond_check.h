/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of a guest's bonds: whether its traffic survives the unplugging of its VFs. */
#pragma once

#include "netprep/guest_subject.h"

/* guest.agent-answers, network.backup-* and network.bond-*; none for a guest without VFs. The guest
 * is only asked for a report. */
CheckGroup bond_check_guest(GuestSubject *subject);
