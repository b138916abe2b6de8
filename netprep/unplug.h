/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detach: moves a guest's traffic to VirtIO and unplugs its VFs, which stay held for it. */
#pragma once

#include "netprep/network_lease.h"

/*
 * Starts the job. Nothing is changed unless the guest's agent answers and every passthrough vNIC
 * can travel (vnic_path_prove()). Its result is {lease, vnics}; a repeat with the same owner and
 * token gives the same lease while that is detached. Whatever fails is undone by
 * replug_detachment() before the job ends with its error. @guest is a name or UUID.
 * FAULT_GUEST_NOT_FOUND, FAULT_GUEST_BUSY (another job).
 */
Job *unplug_start(const NetworkHost *host, const char *owner, const char *token, const char *guest,
                  unsigned timeout_seconds, GError **error);
