/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hosts that only answer calls: which were made, in which order, and what fails. */
#pragma once

#include "common/cli/move.h"
#include "common/fault.h"

#define WORLD_UUID "6f1c2f6e-1111-4222-8333-944445555666"

/* What the two hosts share: the record of calls, and where the guest is. */
typedef struct {
    GMutex lock;
    GPtrArray *calls; /* "host2 Reserve" in order; Renew, Describe and Check left out */
    GCond described;
    gboolean destination_described;
    gboolean check_waits; /* the source checks only when the destination was described */
    gboolean waited_in_vain;
    guint logins;        /* that were asked for */
    const char *blocked; /* what this host's storage checks is a blocker; NULL: none is */
    const char *fail;    /* this call fails with @code */
    FaultCode code;
    gboolean act_though_failing; /* the answer is lost, the deed is done */
    const char *cancel_at;       /* this call cancels */
    GCancellable *cancellable;
    const char *source_state, *destination_state; /* NULL: unknown guest */
    const char *state_after_migrate;              /* of the destination */
    gboolean nothing_to_copy;
    gboolean in_pool;   /* the disk is a volume */
    gboolean has_base;  /* the disk has an image below it */
    gboolean has_local; /* the guest has NVRAM, and a medium in its drive */
    json_t *targets;    /* that were asked for last */
    json_t *sent;       /* disks that Migrate was told of */
    gboolean undefines; /* a migration leaves no definition on the source */
    gboolean has_hooks; /* the guest, of both phases of a migration */
    gboolean no_vnics, no_bond, no_agent, impossible_disk, attach_degraded, reservation_over;
    gboolean silent_after_migrate; /* neither host answers where the guest is */
    gboolean migrated;
    char *tokens[3]; /* of leases that exist: by call below */
    GPtrArray *notes;
    unsigned made;      /* calls so far, but for Renew */
    unsigned dies_at;   /* the coordinator is dead from this call on; 0: it lives */
    gboolean dies_late; /* that one is still carried out */
} World;

World *world_new(void);
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Moves guest web1, by default with the shortest lease. */
MoveResult *world_run(World *world);
MoveResult *world_run_with(World *world, const MoveRequest *request);

/* The same after the checks; @login_known: see Gate. */
MoveResult *world_run_checked(World *world, gboolean login_known);

/* Compares all calls from the @from-th on, joined by ", ". */
void world_assert_calls(const World *world, guint from, const char *expected);
void world_assert_nothing_held(const World *world);
