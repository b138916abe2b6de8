/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Migrations of guests from this host: handed to libvirt, followed, cancelled. */
#pragma once

#include "common/job.h"
#include "storprep/migration_plan.h"

/*
 * Theory of operation. libvirt migrates peer to peer, so a migration does not need this process. A
 * thread of its own makes the blocking call; the job's thread asks for progress, passes a
 * cancellation on, does what the policy wants when memory takes too long to send, and when the call
 * returns asks where the guest is. Cancelling works in every phase but one: a guest that fetches
 * its memory (post-copy) has left, and stopping that would lose it. When the daemon stops, the jobs
 * end at once but the migrations go on: whoever restarts the daemon must not undo a move.
 */
typedef struct Migrations Migrations;

/* Both are borrowed and must live until migrations_free(). More than @at_once migrations wait.
 * Images are only ever removed within @directories, which are borrowed, too. */
Migrations *migrations_new(JobRegistry *jobs, Hypervisor *hypervisor, unsigned at_once,
                           const char *const *directories);
/* The jobs must have ended. */
void migrations_free(Migrations *migrations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Migrations, migrations_free)

/* Family downtime_seconds: how long guests that left running stood still, as libvirt tells it. */
void migrations_write_metrics(Migrations *migrations, OpenMetrics *metrics);

/*
 * Starts the job; @plan is taken over. Result and progress: see the interface. Errors of the job:
 * see outcome_explain(); FAULT_CANCELLED before libvirt was asked says so, and those of
 * migration_plan_confirm_sent() come before it, too. FAULT_GUEST_BUSY while another job of ours
 * works on the guest. Returns a reference.
 */
Job *migrations_start(Migrations *migrations, MigrationPlan *plan, GError **error);
/*
 * Ends the jobs without ending the migrations: call it before job_registry_free(). After that,
 * migrations_left() tells whether libvirt calls are still under way in threads of their own; then
 * the hypervisor link must stay until the process ends.
 */
void migrations_leave(Migrations *migrations);
gboolean migrations_left(const Migrations *migrations);
