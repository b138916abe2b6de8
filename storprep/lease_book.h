/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Leases of one kind of work, from the record to the end: what they all have in common. */
#pragma once

#include "common/lease_store.h"
#include "storprep/lease_claim.h"

/* States of a lease. Only MAKING, READY and COMMITTED can become READY or COMMITTED; one that is
 * found MAKING without anybody at work on it was interrupted, and goes. */
#define LEASE_MAKING    "making"
#define LEASE_READY     "ready"
#define LEASE_COMMITTED "committed" /* kept whatever its deadline */
#define LEASE_REMOVING  "removing"
#define LEASE_DEGRADED  "degraded" /* could not be taken away; tried again */

/* What is done under the leases; all functions block, with the lease claimed. */
typedef struct {
    FaultCode busy_code; /* when what is asked for is held by another lease */
    /* Whether the recorded lease may be made; no other is recorded meanwhile. */
    gboolean (*check)(void *data, const Lease *lease, GError **error);
    /* Makes all of it, and records the lease LEASE_READY in the step that records the last of it;
     * its time counts from then. */
    gboolean (*make)(void *data, Lease *lease, GError **error);
    /* Takes away what make() left, whenever that was interrupted; with @keep, only what is
     * unfinished. A repeat is harmless. */
    gboolean (*undo)(void *data, const Lease *lease, gboolean keep, GError **error);
} LeaseWork;

/*
 * Theory of operation. Whoever works on a lease has claimed it. A lease is recorded and claimed in
 * one step, is MAKING until all of it is there, and then READY. Its end is recorded (REMOVING)
 * before anything is taken away, so that after a crash nobody renews a lease that is half gone; an
 * end that fails makes it DEGRADED. Repeated requests only wait and look, and recovery goes before
 * calls: however often a client asks, a failed lease gets its turn.
 */
typedef struct {
    LeaseStore *store;
    const LeaseWork *work;
    void *data;
    LeaseClaims claims; /* ids of leases */
    GMutex admission;   /* held while a new lease is recorded and checked */
} LeaseBook;

/* All are borrowed; @data is for the functions of @work. */
void lease_book_init(LeaseBook *book, LeaseStore *store, const LeaseWork *work, void *data);
/* Nobody may be at work any more. */
void lease_book_clear(LeaseBook *book);

/* Whether all of it is there and it is not on its way out. */
gboolean lease_book_is_valid(const Lease *lease);

/*
 * Records @draft (see lease_store_create()), makes it, and returns it READY. The same owner, token
 * and request again give the lease there is, once it is whole. On failure nothing is left, or
 * FAULT_ROLLBACK_INCOMPLETE. FAULT_LEASE_CONFLICT, FAULT_LEASE_BUSY (the same request is at work,
 * or its remains are being removed), FAULT_STORE_FAILED, the busy_code, and what @work says.
 */
Lease *lease_book_create(LeaseBook *book, const Lease *draft, unsigned timeout_seconds,
                         GError **error);
/* The lease afterwards. FAULT_LEASE_NOT_FOUND, FAULT_STALE_GENERATION, FAULT_LEASE_BUSY (at work,
 * or going), FAULT_STORE_FAILED. A committed lease stays so when it is renewed. */
Lease *lease_book_renew(LeaseBook *book, const char *id, guint64 generation,
                        unsigned timeout_seconds, GError **error);
Lease *lease_book_commit(LeaseBook *book, const char *id, guint64 generation, GError **error);

/* Claims a lease for a call that ends it, in whatever state. Errors as above. */
Lease *lease_book_take(LeaseBook *book, const char *id, guint64 generation, LeaseClaim *claim,
                       GError **error);
/* Claims a lease to look after it, before all calls that wait for it; NULL if somebody is at work
 * for longer than @patience_usec, or it is gone. */
Lease *lease_book_recover(LeaseBook *book, const char *id, gint64 patience_usec, LeaseClaim *claim);

/* Ends @lease (claimed, as the store has it now). FAULT_ROLLBACK_INCOMPLETE: it is kept DEGRADED,
 * which is logged once for each new reason. */
gboolean lease_book_end(LeaseBook *book, const Lease *lease, gboolean keep, GError **error);
/* Says in @lease (claimed) what is wrong with it just now; "" takes that back. */
void lease_book_note(LeaseBook *book, const Lease *lease, const char *reason);
