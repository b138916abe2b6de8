/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs commands inside a guest through qemu-guest-agent. The guest is not trusted: replies are
 * bounded in size, depth and time, and checked field by field. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"

/* Values of exit_status when a command failed to run. */
#define GUEST_AGENT_NOT_STARTED (-1) /* nothing happened in the guest */
#define GUEST_AGENT_UNFINISHED  (-2) /* it was started; what became of it is not known */

typedef struct {
    int exit_status;
    char *output; /* at most LIMIT_AGENT_REPLY_BYTES, NUL-terminated, may hold any byte but NUL */
    char *error_text;
} GuestAgentResult;
void guest_agent_result_clear(GuestAgentResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestAgentResult, guest_agent_result_clear)

/* Groups of agent commands that a guest's administrator may have blocked. */
typedef enum {
    GUEST_ABILITY_EXEC = 1 << 0,       /* guest-exec, guest-exec-status */
    GUEST_ABILITY_FILES = 1 << 1,      /* guest-file-open, -read, -write, -close */
    GUEST_ABILITY_INTERFACES = 1 << 2, /* guest-network-get-interfaces */
} GuestAbilities;

/* What the agent says it may do (guest-info). Fails like guest_agent_call(). Blocks. */
gboolean guest_agent_abilities(Hypervisor *hypervisor, const char *uuid, unsigned timeout_seconds,
                               GuestAbilities *ret_abilities, GError **error);

/*
 * One command of qemu-guest-agent (its QMP reference names them) with @arguments, which is stolen
 * and may be NULL; returns what it returned. FAULT_AGENT_UNAVAILABLE when nobody answers within
 * @timeout_seconds, FAULT_AGENT_FAILED when the guest refuses, or answers what is no answer.
 * Blocks.
 */
json_t *guest_agent_call(Hypervisor *hypervisor, const char *uuid, const char *name,
                         json_t *arguments, unsigned timeout_seconds, GError **error);

/* guest-exec of @argv and wait for its end by guest-exec-status (polled: the agent has no event).
 * FAULT_AGENT_UNAVAILABLE, FAULT_AGENT_FAILED (refused, not found), FAULT_TIMED_OUT. A non-zero
 * exit status is a success of this function; after a failure exit_status says whether it was
 * started. Blocks. */
gboolean guest_agent_run(Hypervisor *hypervisor, const char *uuid, const char *const *argv,
                         unsigned timeout_seconds, GCancellable *cancellable,
                         GuestAgentResult *ret_result, GError **error);

/* Waits before a guest is asked again, since it tells nothing by itself. FALSE with FAULT_CANCELLED
 * as soon as @cancellable (may be NULL) says so. Blocks for @interval_usec. */
gboolean guest_agent_pause(const char *uuid, gint64 interval_usec, GCancellable *cancellable,
                           GError **error);
