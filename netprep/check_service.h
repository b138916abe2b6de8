/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Check of io.migprep.Network: what this host's networks and VFs say about a move. */
#pragma once

#include "common/varlink_server.h"
#include "netprep/network_host.h"
#include "netprep/vnic.h"

/* What the guest's own host told, as far as it did: NULL where it did not. */
typedef struct {
    char **networks;
    char **bridges;
    char **devices;     /* network devices that vNICs are on by macvtap */
    char **sockets;     /* that vNICs connect to */
    char *memory_nodes; /* a set, see number_set.h; NULL: any */
    GPtrArray *vnics;   /* of Vnic * */
    json_t *links;      /* array of BridgeLink */
    json_t *cards;      /* array of FunctionCard */
    char **macs;
} NetworkFacts;

void network_facts_clear(NetworkFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NetworkFacts, network_facts_clear)
/* From the type Facts, which passed the interface's check. FAULT_INVALID_ARGUMENT,
 * FAULT_LIMIT_EXCEEDED. */
gboolean network_facts_read(const json_t *object, NetworkFacts *ret_facts, GError **error);

/* The checks of one role. They change nothing and block for CHECK_TIMEOUT_MSEC at most. */
CheckReport *network_check_source(const NetworkHost *host, const char *guest);
CheckReport *network_check_destination(const NetworkHost *host, const json_t *facts,
                                       GError **error);
CheckReport *network_check_host(const NetworkHost *host);

/* The handler; its context is a NetworkHost. */
void network_check_method(VarlinkCall *call, json_t *parameters, void *context);
