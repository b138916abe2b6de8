/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugs VFs into a running guest and sees them become the active ports of its bonds. */
#pragma once

#include "netprep/plug_request.h"

/*
 * Does all of @requests (GPtrArray of PlugRequest *, at most LIMIT_VNICS) at once, in a thread
 * each; only libvirt gets its devices one by one, since it holds the guest for each. One that fails
 * is no reason to keep the others from the guest.
 *
 * Asks libvirt what is there and does what is missing, so a repeat goes on where it failed. The
 * settings come before the device, so that the guest never sees a VF which refuses its MAC; one
 * that the guest was started with gets all of them but the MAC. Tries a
 * few times, waiting for a libvirt or agent event between; @job (may be NULL) can cancel that.
 * FALSE with the first failure in the order of @requests, others are logged:
 * FAULT_GUEST_NOT_RUNNING, and what libvirt, the driver or the guest's agent refuses. Blocks.
 */
gboolean plug_functions(const NetworkHost *host, Job *job, const char *guest_uuid,
                        const GPtrArray *requests, GError **error);

/*
 * The same for the VFs of @lease, whose MACs are the PF's until the guest's bonds use the VFs: for
 * a moment the card hands frames to both, and none is lost while a driver opens its VF. Where that
 * failed before, as @lease's state says, the PF's entry goes first: not every card has two owners
 * for a MAC. Fails also if the card keeps the entry. Blocks.
 */
gboolean plug_lease(const NetworkHost *host, Job *job, const Lease *lease, GError **error);
