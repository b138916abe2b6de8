/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two fake hosts, a guest that libvirt moves from one to the other, and a coordinator. */
#pragma once

#include "fake/migration_host.h"
#include "netprep/network_lease.h"

/* Guest "web1" runs on the source with its VF 0. */
typedef struct {
    char *directory;
    MigrationHost *source, *destination;
    FakeGuest *guest;
    gboolean coordinator_gone; /* its further steps are not taken */
} MigrationWorld;

MigrationWorld *migration_world_new(void);
/* The guest has two vNICs with a VF each, VF 0 and VF 1, and a bond for each. */
MigrationWorld *migration_world_new_with_two(void);
void migration_world_free(MigrationWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationWorld, migration_world_free)

/* The steps of a coordinator. FALSE if one fails, or is not taken. Daemons that die are replaced
 * afterwards. */
gboolean migration_world_reserve(MigrationWorld *world);
gboolean migration_world_detach(MigrationWorld *world, const char *token);
gboolean migration_world_attach(MigrationWorld *world);
/* Releases whatever it made. */
void migration_world_release(MigrationWorld *world);

/* libvirt's part: the guest gets a job, and is paused on the destination; then it runs there, or
 * goes on at the source. FALSE if libvirt refuses, or has not begun. */
gboolean migration_world_depart(MigrationWorld *world);
gboolean migration_world_arrive(MigrationWorld *world, gboolean well);

/* Both daemons look at their leases once. */
void migration_world_look(MigrationWorld *world);
/* Both daemons look at their leases, until nothing changes any more. */
void migration_world_settle(MigrationWorld *world);
/* All deadlines pass. */
void migration_world_expire(MigrationWorld *world);
