/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live migrations of guests from this host: planned, handed to libvirt, followed, cancelled. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"
#include "common/job.h"

/*
 * Theory of operation. libvirt migrates peer to peer, so a migration does not need this process. A
 * thread of its own makes the blocking call; the job's thread asks for progress, passes a
 * cancellation on, and when the call returns asks where the guest is. When the daemon stops, the
 * jobs end at once but the migrations go on: whoever restarts the daemon must not undo a move.
 */
typedef struct Migrations Migrations;

/* What is to be done, checked against the guest. */
typedef struct {
    char *guest_name;
    char *guest_uuid;
    char *destination_uri;
    char **copy_disks;             /* targets; empty: none */
    char **shared_disks;           /* targets that both hosts have in common; empty: none */
    guint64 bandwidth_mebibytes;   /* 0: libvirt's default */
    guint64 maximum_downtime_msec; /* 0: libvirt's default */
    gboolean auto_converge;
    gboolean persistent; /* define it on the destination and undefine it here */
} MigrationPlan;

void migration_plan_free(MigrationPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationPlan, migration_plan_free)

/* Pure. FAULT_INVALID_ARGUMENT unless @uri is qemu+ssh, qemu+tls or qemu+tcp://HOST/system. Options
 * are refused: in libvirt's URIs they name programs and keys, which root would run and read. */
gboolean migration_check_uri(const char *uri, GError **error);

/*
 * The plan for the parameters of io.migprep.Storage.Migrate, which passed the interface's check.
 * FAULT_INVALID_ARGUMENT, FAULT_LIMIT_EXCEEDED, FAULT_GUEST_NOT_RUNNING, FAULT_GUEST_BUSY (libvirt
 * has a job on it), FAULT_DISK_UNSUPPORTED (a disk cannot be moved, or not be copied). Blocks on
 * the disks' images.
 */
MigrationPlan *migration_plan_new(json_t *parameters, const Guest *guest, GError **error);

/* Both are borrowed and must live until migrations_free(). */
Migrations *migrations_new(JobRegistry *jobs, Hypervisor *hypervisor);
/* The jobs must have ended. */
void migrations_free(Migrations *migrations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Migrations, migrations_free)

/*
 * Starts the job; @plan is taken over. Result and progress: see the interface. Errors of the job:
 * see outcome_explain(); FAULT_CANCELLED before libvirt was asked says so. FAULT_GUEST_BUSY while
 * another job of ours works on the guest. Returns a reference.
 */
Job *migrations_start(Migrations *migrations, MigrationPlan *plan, GError **error);
/*
 * Ends the jobs without ending the migrations: call it before job_registry_free(). After that,
 * migrations_left() tells whether libvirt calls are still under way in threads of their own; then
 * the hypervisor link must stay until the process ends.
 */
void migrations_leave(Migrations *migrations);
gboolean migrations_left(const Migrations *migrations);
