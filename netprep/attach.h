/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives a guest that arrived here the VFs that were reserved for it. */
#pragma once

#include "netprep/plug.h"

/*
 * Plugs every reserved VF, or what replaces it, as a plain PCI device with the settings of its
 * former one and waits until the guest's bonds use them; then the VFs are the guest's and the
 * lease, in state "attached", only answers repeats until its deadline. What fails leaves the guest
 * on VirtIO and the lease in state "degraded", with the reason; a repeat goes on from there. FALSE
 * only if nothing could be recorded. @job may be NULL. Blocks.
 */
gboolean attach_reservation(const NetworkHost *host, Job *job, const Lease *reservation,
                            GError **error);

/* What became of it: the result of Attach, read from the lease, libvirt and the guest. Blocks. */
json_t *attach_result(const NetworkHost *host, const Lease *lease, GError **error);
