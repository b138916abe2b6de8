/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host for netprepd's checks of which all is fake, and what another host told of a guest that is
 * to come. Every check holds on it. */
#pragma once

#include "fake/check_case.h"
#include "fake/network_fixture.h"

typedef struct {
    NetworkFixture *fixture;
    json_t *facts;
    gboolean xdp;    /* the guest's VF has an XDP program */
    const char *arp; /* the neighbours that its report tells; NULL: it tells none */
} CheckedNetwork;

CheckedNetwork *checked_network_new(void);
void checked_network_free(CheckedNetwork *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckedNetwork, checked_network_free)

/* Guest web1 with a VirtIO NIC, in whose element is @more, and a VF. */
void checked_network_add_guest(const CheckedNetwork *world, const char *more);
/* What its netprep-guest reports of bond0, of port "virtio" and VF "vf". */
void checked_network_report(void *data, const char *mode, int monitor, const char *primary,
                            int announcements, const char *fail_over_mac);

/* For CheckCase.prepare: the guest is here, or is to come, or the host alone is asked. */
void checked_network_has_guest(void *data);
void checked_network_arrives(void *data);
void checked_network_alone(void *data);
extern const CheckSuite checked_network_suite;
