/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits until a guest has let all devices go that it was asked for. */
#pragma once

#include "netprep/guest_view.h"

typedef struct RemovalWait RemovalWait;

/* Create it before the guest is asked, so that no event is missed. @guest is borrowed. */
RemovalWait *removal_wait_new(Hypervisor *hypervisor, const Guest *guest);
void removal_wait_free(RemovalWait *wait);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RemovalWait, removal_wait_free)

/* A device to wait for: libvirt's alias and the host's PCI address. Copied. */
void removal_wait_add(RemovalWait *wait, const char *alias, const char *function);

/*
 * Returns when each device is gone, or has been refused, or @deadline_usec (g_get_monotonic_time())
 * has passed. FAULT_UNPLUG_REFUSED, FAULT_UNPLUG_TIMED_OUT, FAULT_GUEST_NOT_RUNNING if the guest
 * stops, FAULT_CANCELLED. Blocks.
 */
gboolean removal_wait_finish(RemovalWait *wait, gint64 deadline_usec, GCancellable *cancellable,
                             GError **error);
