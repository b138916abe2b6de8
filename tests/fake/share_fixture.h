/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A storprepd in memory: lease database, image directory, fake libvirt, NFS server and mounts, for
 * the tests of share leases. */
#pragma once

#include "fake/fake_firewall.h"
#include "fake/fake_hypervisor.h"
#include "fake/fake_mount_table.h"
#include "fake/fake_nfs_server.h"
#include "storprep/share_lease.h"

#define SHARE_GUEST_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct {
    char *directory;
    char *images;
    char *database;
    char *roots[2];
    LeaseStore *store;
    FakeHypervisor *fake_hypervisor;
    Hypervisor *hypervisor;
    FakeNfsServer *fake_server;
    NfsServer *server;
    FakeMountTable *fake_mounts;
    MountTable *mounts;
    FakeFirewall fake_firewall;
    Firewall *firewall;
    ShareHost host;
    ShareLeases *leases; /* the daemon at work */
} ShareFixture;

void share_fixture_set_up(ShareFixture *fixture, const void *data);
void share_fixture_tear_down(ShareFixture *fixture, const void *data);
/* Restarting finds the database, and what is shared, as they were left. */
void share_fixture_start_daemon(ShareFixture *fixture);
/* The same on its database, which is open; takes @store over. */
void share_fixture_start_daemon_on(ShareFixture *fixture, LeaseStore *store);
void share_fixture_stop_daemon(ShareFixture *fixture);

/* Makes what @request (stolen) asks for. */
Lease *share_fixture_create(ShareFixture *fixture, ShareRequest *request, GError **error);
gboolean share_fixture_release(ShareFixture *fixture, const Lease *lease, GError **error);
/* Adds a running guest with an image below @directory. */
void share_fixture_add_guest(ShareFixture *fixture, const char *directory);
/* The same with a volume of a pool that is there. */
void share_fixture_add_guest_of_pool(ShareFixture *fixture, const char *directory);
/* A release is refused, naming @user, and changes nothing. */
void share_fixture_assert_busy(ShareFixture *fixture, const Lease *lease, const char *user);
unsigned share_fixture_count_leases(ShareFixture *fixture);
/* The state of a lease as the store has it; owned. */
char *share_fixture_state(ShareFixture *fixture, const Lease *lease);
/* Looks after the leases until @leases are left. */
void share_fixture_reconcile_until(ShareFixture *fixture, unsigned leases);

/* Where its mounts go, below its images. Owned by the caller. */
char *share_fixture_point(ShareFixture *fixture);
/* Parameters of Mount for host1:/srv/images there; changed at will, and mounted (stolen). */
json_t *share_fixture_ask_mount(ShareFixture *fixture, const char *token);
Lease *share_fixture_mount(ShareFixture *fixture, json_t *parameters, GError **error);
/* @parameters (stolen) are refused with @code, and no lease is left. */
void share_fixture_assert_mount_refused(ShareFixture *fixture, json_t *parameters, FaultCode code);
/* In its images. */
unsigned share_fixture_count_files(ShareFixture *fixture);
/* Neither lease, mount nor file. */
void share_fixture_assert_nothing_left(ShareFixture *fixture);
