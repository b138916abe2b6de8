/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host says about one guest that is to leave it, and what the guest needs elsewhere. */
#pragma once

#include "common/cli/peer.h"
#include "common/policy.h"

/* As it was told: from ListGuests, GetPolicy, Check and IdentifyImages. */
typedef struct {
    char *name, *uuid;
    char *state;                  /* "running" */
    json_t *values;               /* of GetPolicy: array of PolicyValue; NULL: not known */
    json_t *results;              /* of the checks, of all hosts */
    json_t *verdicts;             /* likewise: array of {destination, verdict} */
    json_t *facts[SERVICE_COUNT]; /* of the source; NULL: not told */
    GHashTable *copied; /* set: paths that a destination does not share; NULL: all that can be */
} DrainGuest;

/* Owned by the caller; nothing is known but these. */
DrainGuest *drain_guest_new(const char *name, const char *uuid, const char *state);
void drain_guest_free(DrainGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainGuest, drain_guest_free)

/* What its policy says of @key; the default if that is not known. */
guint64 drain_guest_policy(const DrainGuest *guest, PolicyKey key);
/* Where it may be: the value called "hosts", "together" or "apart"; NULL if it does not say.
 * Borrowed. */
const char *drain_guest_place(const DrainGuest *guest, const char *name);

/* Disks whose content goes along: new reference to an array of {path, bytes}. */
json_t *drain_guest_copies(const DrainGuest *guest);
/* What is to be sent: memory and disks, in bytes. */
guint64 drain_guest_bytes(const DrainGuest *guest);

/* Why it cannot leave whatever the destination is (it does not run, a check at the source fails);
 * NULL: it can. Owned by the caller. */
char *drain_guest_hindrance(const DrainGuest *guest);
/* Why it cannot go to @host as far as its policy and the checks say; NULL: it can. Owned. */
char *drain_guest_obstacle(const DrainGuest *guest, const char *host);
