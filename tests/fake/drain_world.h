/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host with guests and two that they can go to, behind peers that only answer calls. */
#pragma once

#include "common/cli/drain.h"
#include "common/fault.h"

#define DRAIN_WORLD_HOSTS  3 /* host1 is emptied */
#define DRAIN_WORLD_GUESTS 6

typedef struct {
    char name[8];           /* also its UUID */
    int host;               /* 0: host1; -1: it runs nowhere */
    int failures;           /* so many migrations of it still fail, with it where it was */
    const char *blocked_on; /* a check there fails; NULL: nowhere */
    const char *mode, *fallback, *priority; /* NULL: the default */
    gboolean stubborn;                      /* it cannot be stopped */
} DrainWorldGuest;

typedef struct {
    GMutex lock;
    GCond changed;
    DrainWorldGuest guests[DRAIN_WORLD_GUESTS];
    guint count;
    GPtrArray *calls; /* "Migrate a host2", "StopGuest b shutdown" in order */
    unsigned meet;    /* migrations wait for each other until so many run */
    unsigned inside[DRAIN_WORLD_HOSTS], most[DRAIN_WORLD_HOSTS]; /* by destination; 0: all */
    const char *cancel_at; /* a migration of this guest cancels stop */
    GCancellable *stop, *cancel;
    const char *unreachable;    /* this host does not answer */
    unsigned made;              /* calls so far */
    unsigned dies_at;           /* the coordinator is dead from this call on; 0: it lives */
    gboolean dies_late;         /* that one is still carried out */
    unsigned migrating_answers; /* so often host1 says that a guest is migrated */
    unsigned leftover_answers;  /* so often host2 says that it holds files for guest a */
    unsigned busy_answers;      /* so often host2 says that others come to it */
    GPtrArray *events;          /* "started a", "over a moved host2" */
    Peer *peers[DRAIN_WORLD_HOSTS];
    GPtrArray *destinations;
} DrainWorld;

/* With @count guests called a, b, ... that run on host1. */
DrainWorld *drain_world_new(guint count);
void drain_world_free(DrainWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrainWorld, drain_world_free)

/* Plans with these limits; asserts that it can. Owned by the caller. */
DrainPlan *drain_world_plan(DrainWorld *world, const DrainRules *rules);
/* Carries it out with pauses of a millisecond and each guest's own fallback. */
DrainResult *drain_world_run(DrainWorld *world, DrainPlan *plan);
/* Whether @word is among the events or calls. */
gboolean drain_world_saw(const GPtrArray *words, const char *word);
