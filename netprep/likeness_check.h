/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks that the destination's bridges and cards are like those that a guest comes from. */
#pragma once

#include "netprep/check_service.h"

/* network.bridges-alike, .mtu-enough, .functions-same-card. @facts are taken over. */
CheckGroup likeness_check(const NetworkHost *host, NetworkFacts *facts);
