/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's networks, and their ports, in memory. */
#pragma once

#include "common/hypervisor_network.h"
#include "common/network_port.h"

typedef struct FakeNetworks FakeNetworks; /* thread-safe */

FakeNetworks *fake_networks_new(void);
void fake_networks_free(FakeNetworks *networks);

/* A network of VFs of @pf, or one more PF for it; a network that guests reach through @bridge. */
void fake_networks_add(FakeNetworks *networks, const char *name, const char *pf);
void fake_networks_add_bridge(FakeNetworks *networks, const char *name, const char *bridge);

/* Of the VFs that ports are asked for from now on, another guest gets @count just before, and keeps
 * each until all ports are listed once. */
void fake_networks_be_quicker(FakeNetworks *networks, unsigned count);

/* As HypervisorOps says: copies of all; a VF has one port in a network at the most. Networks that
 * name PFs are taken to have every VF. */
GPtrArray *fake_networks_list(FakeNetworks *networks);
GPtrArray *fake_networks_list_ports(FakeNetworks *networks);
gboolean fake_networks_create_port(FakeNetworks *networks, const NetworkPort *port, GError **error);
gboolean fake_networks_delete_port(FakeNetworks *networks, const char *name, const char *uuid,
                                   GError **error);
