/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks that a guest's VFs can be unplugged and plugged while it runs. */
#pragma once

#include "netprep/guest_subject.h"

/* network.hotplug-possible, .hotplug-fast. */
CheckGroup hotplug_check(GuestSubject *subject);
