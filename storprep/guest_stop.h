/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests that cannot leave a host that is emptied: stopped in a way that they can go on from. */
#pragma once

#include "common/config.h"
#include "common/hypervisor.h"
#include "common/job.h"

#define GUEST_STOP_SECONDS_MAX 3600

/*
 * Starts the job of StopGuest: @hibernate saves the guest's memory after its before_hibernation
 * hooks (@hooks is borrowed), else it is asked to shut down and has @seconds for it. The job fails
 * with the guest running: FAULT_TIMED_OUT if it did not shut down, FAULT_CANCELLED,
 * FAULT_GUEST_NOT_RUNNING, those of libvirt. FAULT_INVALID_ARGUMENT for
 * @seconds out of 1-GUEST_STOP_SECONDS_MAX; FAULT_GUEST_BUSY. Returns a reference.
 */
Job *guest_stop_start(JobRegistry *jobs, Hypervisor *hypervisor, const char *guest,
                      gboolean hibernate, guint64 seconds, const ConfigHooks *hooks,
                      GError **error);
