/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps leases true: compares them with what libvirt says and acts on the difference. */
#pragma once

#include "netprep/network_lease.h"

/* Where a lease's guest is, as far as this host's libvirt knows. */
typedef enum {
    WHEREABOUTS_GONE, /* unknown here, or not active */
    WHEREABOUTS_RUNNING,
    WHEREABOUTS_MOVING,  /* running with a libvirt job */
    WHEREABOUTS_WAITING, /* paused, incoming, or in some other state that passes */
} Whereabouts;

typedef enum {
    RECONCILE_WAIT,
    RECONCILE_ATTACH, /* give the guest the VFs that were reserved for it */
    RECONCILE_REPLUG, /* give the guest its VFs back */
    RECONCILE_FREE,   /* the guest is not here: its VFs are free */
    RECONCILE_FORGET, /* nothing is held any more */
} ReconcileAction;

/*
 * The rules, the same for events, expiry, and a restarted daemon whose jobs are gone. @complete:
 * all VFs of the lease are in the guest. Only called while no job is on the guest. Pure.
 */
ReconcileAction reconcile_decide(const Lease *lease, Whereabouts whereabouts, gboolean complete);

/* Looks at all leases, or those of one guest if @uuid is not NULL, and starts what is due as jobs;
 * guests with a running job are left to it. Blocks for libvirt and the database, not for the jobs'
 * ends; what is too much at once is started as others end, or by a later look if they do not. */
typedef struct Reconciler Reconciler;
void reconcile_now(Reconciler *reconciler, const char *uuid);

/* @host is borrowed and must outlive it. */
Reconciler *reconciler_new(const NetworkHost *host);
/* Does so in a thread of its own from now on: at once, on libvirt's events, and every few seconds.
 */
void reconciler_run(Reconciler *reconciler);
/* Ends the thread; jobs that were started go on. */
void reconciler_free(Reconciler *reconciler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reconciler, reconciler_free)
