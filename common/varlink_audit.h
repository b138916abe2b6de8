/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who asked a daemon for a change: one entry in the journal for each call that may make one. */
#pragma once

#include <jansson.h>

#include "common/varlink_server.h"

/* The MESSAGE_ID of these entries. */
#define VARLINK_AUDIT_MESSAGE_ID "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a40"

/*
 * Whether calls of @method may change anything. Names say so, as everywhere in our interfaces:
 * those that only look begin with Describe, List, Get, Check, Find, Identify, Digest, Baseline or
 * Watch. Whatever is named otherwise is told of; but Renew, which comes every few seconds and
 * changes a deadline only, Announce what watchers hear.
 */
gboolean varlink_audit_wants(const char *method);

typedef struct {
    const char *interface, *method;
    guint uid;   /* of the caller, as the kernel says */
    int process; /* likewise; 0: not known */
} VarlinkAudit;

/*
 * Writes that @audit's caller asked for its method about what @parameters name: guest, lease,
 * owner, job, path. Fields: CALLER_UID, CALLER_PID, MIGPREP_METHOD, and what there is of
 * MIGPREP_GUEST, MIGPREP_LEASE, MIGPREP_OWNER. Said before it is done; what fails is logged when it
 * did. Words of the caller are cut, and without control characters. Any thread.
 */
void varlink_audit_tell(const VarlinkAudit *audit, const json_t *parameters);
