/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of the host that a guest is to come to: its networks, bridges and VFs. */
#pragma once

#include "netprep/check_service.h"

/* network.networks-there, .bridges-there, .devices-there, .sockets-there. @facts are taken over. */
CheckGroup arrival_check_networks(const NetworkHost *host, NetworkFacts *facts);
/* network.functions-free, .functions-settings-supported, .functions-rates, .functions-near. @facts
 * are taken over. */
CheckGroup arrival_check_functions(const NetworkHost *host, NetworkFacts *facts);
