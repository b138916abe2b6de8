/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs commands inside a guest through qemu-guest-agent. The guest is not trusted: replies are
 * bounded in size, depth and time, and checked field by field. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"

typedef struct {
    int exit_status;
    char *output; /* at most LIMIT_AGENT_REPLY_BYTES, NUL-terminated, may hold any byte but NUL */
    char *error_text;
} GuestAgentResult;
void guest_agent_result_clear(GuestAgentResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GuestAgentResult, guest_agent_result_clear)

/* guest-ping. FAULT_AGENT_UNAVAILABLE with the remedy when nobody answers. Blocks. */
gboolean guest_agent_ping(Hypervisor *hypervisor, const char *uuid, unsigned timeout_seconds,
                          GError **error);

/* guest-exec of @argv and wait for its end by guest-exec-status (polled: the agent has no event).
 * FAULT_AGENT_UNAVAILABLE, FAULT_AGENT_FAILED (refused, not found), FAULT_TIMED_OUT. A non-zero
 * exit status is a success of this function. Blocks. */
gboolean guest_agent_run(Hypervisor *hypervisor, const char *uuid, const char *const *argv,
                         unsigned timeout_seconds, GCancellable *cancellable,
                         GuestAgentResult *ret_result, GError **error);
