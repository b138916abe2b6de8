/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host with PF npf0 (VFs 0000:01:10.0, .2, .4, .6) on physical network "blue", all of it fake. */
#pragma once

#include "fake/fake_bridge_fdb.h"
#include "fake/fake_function_control.h"
#include "fake/fake_guest.h"
#include "fake/fake_hypervisor.h"
#include "fake/fake_leg_probe.h"
#include "netprep/network_host.h"
#include "netprep/network_lease.h"

#define FIXTURE_UUID "7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a55"
#define FIXTURE_VF   "0000:01:10.0" /* the guest's, where it has one */
#define FIXTURE_VF_2 "0000:01:10.2"

typedef struct {
    char *sysfs;
    Config config;
    FakeHypervisor *hypervisor;
    FakeFunctionControl *control;
    FakeGuest *guest;
    FakeLegProbe *probe;
    FakeBridgeFdb *fdb;
    NetworkHost *host;
} NetworkFixture;

NetworkFixture *network_fixture_new(void);
void network_fixture_free(NetworkFixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetworkFixture, network_fixture_free)

/* Guest "web1", persistent; with FIXTURE_VF as a plain device at guest address 0000:00:04.0, alias
 * hostdev0, if @with_vf. */
void network_fixture_add_guest(NetworkFixture *fixture, GuestState state, gboolean with_vf);

/* The same with these device elements instead; net0 is its VirtIO vNIC, at 0000:00:03.0. */
void network_fixture_add_guest_with(NetworkFixture *fixture, GuestState state, const char *devices);
/* The same, running and with a second pair: FIXTURE_VF_2 at 0000:00:06.0, alias hostdev1, in bond1.
 */
void network_fixture_add_guest_with_two(NetworkFixture *fixture);

/* The MAC of the VirtIO vNIC of "web1" is on its VF, too, and br0 is above npf0. */
#define FIXTURE_MAC "52:54:00:aa:00:01"
void network_fixture_share_card(NetworkFixture *fixture);
/* Whether npf0 takes frames for that MAC. */
gboolean network_fixture_card_takes_mac(NetworkFixture *fixture);

/* The guest has @function, in its live XML and in its configuration. */
gboolean network_fixture_has_live(NetworkFixture *fixture, const char *function);
gboolean network_fixture_has_config(NetworkFixture *fixture, const char *function);

/* The only lease there is, or NULL if there is none. Owned by the caller. */
Lease *network_fixture_lease(NetworkFixture *fixture);

/* A VF is reserved for "web1", which is elsewhere, under one token, for @seconds. */
gboolean network_fixture_reserve(NetworkFixture *fixture, unsigned seconds, GError **error);
/* Waits until no job works on "web1". */
void network_fixture_wait_for_jobs(NetworkFixture *fixture);

/* Waits until @condition holds; fails the test after some seconds. */
void network_fixture_wait(NetworkFixture *fixture, gboolean (*condition)(NetworkFixture *fixture));

/* Multiplies patience on slow machines: environment variable TEST_SLOWNESS. */
unsigned network_fixture_slowness(void);
