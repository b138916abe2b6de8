/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A daemon's own handle to a hypervisor that it shares with others. */
#pragma once

#include "common/hypervisor.h"
#include "fake/fake_gate.h"

/* What a host's libvirt checks before it gives a guest device @xml: FALSE with @error to refuse. */
typedef gboolean (*DeviceCheck)(const char *xml, void *data, GError **error);

typedef struct {
    FakeGate gate;
    void *gate_data;
    DeviceCheck check; /* NULL: all devices are fine */
    void *check_data;
} HypervisorDoor;

/* All calls pass the gate of @door and then go to @target, which is borrowed. Calls that do not get
 * through, or whose answer is lost, fail with FAULT_HYPERVISOR_UNAVAILABLE. No events: emit them.
 */
Hypervisor *hypervisor_gate_new(Hypervisor *target, const HypervisorDoor *door);
