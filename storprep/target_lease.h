/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases of image files: created, renewed, released, and ended by what libvirt says. */
#pragma once

#include "common/hypervisor.h"
#include "common/lease_store.h"
#include "storprep/storage_pulse.h"
#include "storprep/target_request.h"

/*
 * Theory of operation. lease_book.h has the life of a lease. Anything but "ready" is past its
 * deadline: after a crash its files go, whatever the clock says. A thread follows libvirt's events
 * and has every lease looked at every few seconds and at start, each in a thread of its own; all
 * ends go through target_lease_decide().
 */
#define TARGETS_KIND "targets" /* of these leases in the store */
typedef struct TargetLeases TargetLeases;

/* Where a lease's guest is, as far as this host can tell. */
typedef enum {
    PRESENCE_ABSENT,
    PRESENCE_RUNNING,
    PRESENCE_COMING,   /* there, but not running: coming in, or paused */
    PRESENCE_SHUT_OFF, /* only defined */
    PRESENCE_GONE,     /* not there, but the files were written to as if it had been */
    PRESENCE_UNKNOWN,  /* libvirt does not answer */
} Presence;

typedef enum {
    TARGETS_WAIT,
    TARGETS_KEEP,   /* end the lease: the files are the guest's */
    TARGETS_REMOVE, /* end the lease and its files */
} TargetsDecision;

/*
 * Pure. @due: the deadline passed, or the lease is not "ready"; @released: its holder gives it
 * back. The files of a guest that is only defined are never removed: it may have run here unseen.
 * They wait, unless the holder says that they are done with. So do those of a guest that is not
 * here, if somebody wrote to them whom no failed migration and no filling of ours accounts for.
 */
TargetsDecision target_lease_decide(Presence presence, gboolean due, gboolean released);

/* @store, @hypervisor and @pulse are borrowed. @directories and @socket_directory (see
 * target_server.h) are copied; below @root ("") it is noted whether the host is in maintenance, and
 * what is mounted. Starts the thread. */
TargetLeases *target_leases_new(LeaseStore *store, Hypervisor *hypervisor,
                                const char *const *directories, const char *root,
                                const char *socket_directory, const StoragePulseOps *pulse);
/* Stops the thread and waits for it. */
void target_leases_free(TargetLeases *leases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TargetLeases, target_leases_free)

/*
 * Makes all files or none. The same owner, token and request again give the lease there is. All
 * functions below block and return a copy. FAULT_LEASE_CONFLICT, FAULT_LEASE_BUSY (the same request
 * is at work, or its remains are being removed), FAULT_GUEST_BUSY (the guest is active on this host
 * already), FAULT_TARGET_EXISTS, FAULT_TARGET_REFUSED, FAULT_NO_SPACE, FAULT_PROGRAM_FAILED,
 * FAULT_IMAGE_INVALID, FAULT_STORE_FAILED; FAULT_ROLLBACK_INCOMPLETE when after such an error not
 * everything could be removed: the lease is kept "degraded" and the removal tried again.
 */
Lease *target_leases_create(TargetLeases *leases, const TargetRequest *request, GError **error);
/* FAULT_LEASE_NOT_FOUND, FAULT_STALE_GENERATION, FAULT_LEASE_BUSY (its files are going). */
Lease *target_leases_renew(TargetLeases *leases, const char *id, guint64 generation,
                           unsigned timeout_seconds, GError **error);
/* Ends the lease; *ret_kept tells whether the files are left to the guest. FAULT_LEASE_BUSY while
 * the guest is coming in, FAULT_HYPERVISOR_UNAVAILABLE, FAULT_ROLLBACK_INCOMPLETE. */
gboolean target_leases_release(TargetLeases *leases, const char *id, guint64 generation,
                               gboolean *ret_kept, GError **error);
/*
 * Serves the files to be filled from elsewhere, for a guest that is shut off; the ServedTarget
 * records, a new array. A repeat gives the same ones. FAULT_LEASE_NOT_FOUND,
 * FAULT_STALE_GENERATION, FAULT_LEASE_BUSY, FAULT_GUEST_BUSY (it is active here), and those of
 * target_servers_open().
 */
json_t *target_leases_open(TargetLeases *leases, const char *id, guint64 generation,
                           GError **error);
/* Ends that, and sees that the files are whole and durable: see target_files_seal(). */
gboolean target_leases_close(TargetLeases *leases, const char *id, guint64 generation,
                             GError **error);
/* Those of this kind in @store, which also has those of shares, oldest first: GPtrArray of Lease *.
 */
GPtrArray *target_leases_read(LeaseStore *store, GError **error);
GPtrArray *target_leases_list(TargetLeases *leases, GError **error);
/* Has every lease looked at, as the thread does, and waits for that. */
void target_leases_reconcile(TargetLeases *leases);
