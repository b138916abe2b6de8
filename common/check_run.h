/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs checks: groups of them beside each other, none of them longer than its deadline. */
#pragma once

#include "common/check.h"

/*
 * Theory of operation. A group is a list of checks over one context that is read once. Each group
 * runs in a thread of its own. One that has not come back by the deadline keeps what it found until
 * then; the rest of its checks are unknown. Its thread goes on until whatever holds it (a dead NFS
 * server, libvirt) lets go, and then frees its context; how many may hang like that is bounded.
 */
typedef struct CheckRunner CheckRunner;

/* For all checks of a daemon. For check_runner_free(). */
CheckRunner *check_runner_new(void);
/* Waits up to @seconds until no check runs any more. FALSE: some still do, and what their contexts
 * borrow must not be freed. No check may be started any more. */
gboolean check_runner_finish(CheckRunner *runner, unsigned seconds);
/* After check_runner_finish(); leaves it alone if checks still run. */
void check_runner_free(CheckRunner *runner);

typedef enum {
    CHECK_READY,
    CHECK_NOTHING,  /* there is nothing to check, or somebody else says why not */
    CHECK_HINDERED, /* the error says why nothing can be checked */
} CheckReadiness;

typedef struct {
    const char *id;
    void (*run)(void *context, CheckReport *report);
} Check;

typedef struct {
    const char *object;  /* whom an unknown result is about: "guest 'web1'"; copied */
    const Check *checks; /* ends with {0}; static */
    CheckReadiness (*prepare)(void *context, GError **error); /* reads the context; may be NULL */
    /* Tells the other host what it needs to know, before anything is checked; may be NULL. */
    void (*tell)(void *context, CheckReport *report);
    void *context; /* taken over */
    void (*free_context)(void *context);
} CheckGroup;

/* Runs @count groups and returns what they found by then. @guest: whom remedies name, as virsh
 * would; NULL: nobody. Never fails. Blocks for at most @timeout_msec. */
CheckReport *check_runner_run(CheckRunner *runner, const CheckGroup *groups, gsize count,
                              const char *guest, unsigned timeout_msec);
