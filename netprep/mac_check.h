/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks whether a guest's MAC addresses are somebody else's here: network.mac-unused. */
#pragma once

#include "netprep/check_service.h"

/* Takes @facts over. */
CheckGroup mac_check(const NetworkHost *host, NetworkFacts *facts);
