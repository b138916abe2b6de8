/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thousand leases of netprepd, on a fake host with as many VFs, between one daemon and the next.
 */
#pragma once

#include "fake/fake_hypervisor.h"
#include "netprep/network_host.h"

#define CROWD_LEASES 1000

/* Reservations of one VF each for guests that are not here, from a daemon that was killed. */
typedef struct {
    char *directory, *database, *sysfs;
    Config config;
    NetworkHost *host; /* NULL: no daemon */
} LeaseCrowd;

/* @seconds: until the deadlines of all. */
LeaseCrowd *lease_crowd_new(unsigned seconds);
void lease_crowd_free(LeaseCrowd *crowd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LeaseCrowd, lease_crowd_free)

void lease_crowd_start(LeaseCrowd *crowd);
void lease_crowd_stop(LeaseCrowd *crowd);
unsigned lease_crowd_count(LeaseCrowd *crowd);
/* Waits until @leases are left; fails the test after some time. */
void lease_crowd_await(LeaseCrowd *crowd, unsigned leases);
