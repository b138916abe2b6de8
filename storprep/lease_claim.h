/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who works on which lease or thing just now, so that no two threads change one at a time. */
#pragma once

#include <glib.h>

typedef struct {
    GMutex lock; /* guards the rest; held by callers who must record and claim in one step */
    GCond changed;
    GHashTable *taken;  /* names, owned */
    GHashTable *wanted; /* names that recovery waits for, owned: nobody else gets them */
} LeaseClaims;

/* A name that this thread has claimed; given up when it goes out of scope. */
typedef struct {
    LeaseClaims *claims;
    char *name; /* NULL: nothing is claimed */
} LeaseClaim;

/* An empty set. */
void lease_claims_init(LeaseClaims *claims);
/* Nothing may be claimed any more. */
void lease_claims_clear(LeaseClaims *claims);

/* Claims @name, which nobody has, with claims->lock held. */
void lease_claim_set(LeaseClaims *claims, const char *name, LeaseClaim *claim);
/* Waits at most @patience_usec for @name; FAULT_LEASE_BUSY naming it. Blocks. */
gboolean lease_claim_take(LeaseClaims *claims, const char *name, gint64 patience_usec,
                          LeaseClaim *claim, GError **error);
/* The same for who looks after leases, of whom there is one at a time: goes before all others that
 * wait. FALSE if whoever has it keeps it for longer. Blocks. */
gboolean lease_claim_recover(LeaseClaims *claims, const char *name, gint64 patience_usec,
                             LeaseClaim *claim);
/* Waits until nobody has @name, without claiming it. FAULT_LEASE_BUSY. Blocks. */
gboolean lease_claim_await(LeaseClaims *claims, const char *name, gint64 patience_usec,
                           GError **error);
void lease_claim_clear(LeaseClaim *claim);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LeaseClaim, lease_claim_clear)

/* Sets FAULT_LEASE_BUSY for lease @id; returns FALSE. */
gboolean lease_claim_busy(GError **error, const char *id, const char *cause);
