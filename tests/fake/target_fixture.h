/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A storprepd in memory: lease database, image directory and fake libvirt, for the tests of target
 * leases. */
#pragma once

#include "fake/fake_hypervisor.h"
#include "storprep/target_lease.h"

#define GUEST_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

typedef struct {
    char *directory;
    char *images;
    char *database;
    char *sockets;        /* directory */
    char *first, *second; /* two paths below images */
    LeaseStore *store;
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    const StoragePulseOps *pulse; /* set before it starts; NULL: the real one */
    TargetLeases *leases;         /* the daemon at work */
} TargetFixture;

/* A monotonic time after which a test has failed. */
gint64 fixture_deadline(void);
void fixture_set_up(TargetFixture *fixture, const void *data);
void fixture_tear_down(TargetFixture *fixture, const void *data);
/* Restarting finds the database and the files as they were left. */
void fixture_start_daemon(TargetFixture *fixture);
void fixture_stop_daemon(TargetFixture *fixture);

/* Parameters of CreateTargets for two targets of 1 MiB: qcow2 @first and raw @second. */
json_t *fixture_parameters(TargetFixture *fixture, const char *token, unsigned timeout_seconds);
/* The same for one raw target. */
json_t *fixture_one_raw(TargetFixture *fixture, const char *token, const char *path,
                        json_int_t size);
/* Creates what @asked (stolen) says. */
Lease *fixture_create_from(TargetFixture *fixture, json_t *asked, GError **error);
/* Creates the two targets; cannot fail. */
Lease *fixture_create(TargetFixture *fixture, const char *token, unsigned timeout_seconds);
void fixture_assert_create_fails(TargetFixture *fixture, json_t *asked, FaultCode code,
                                 const char *object);
/* Returns whether the files were kept; FALSE too with @error. */
gboolean fixture_release(TargetFixture *fixture, const Lease *lease, GError **error);
/* Adds the guest that the targets are for. */
void fixture_add_guest(TargetFixture *fixture, GuestState state);

unsigned fixture_count_leases(TargetFixture *fixture);
unsigned fixture_count_files(TargetFixture *fixture);
void fixture_assert_nothing_left(TargetFixture *fixture);
/* Looks after the leases until @leases are left. */
void fixture_reconcile_until(TargetFixture *fixture, unsigned leases);
