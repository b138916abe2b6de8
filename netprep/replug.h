/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Undoes a detachment: gives a guest that still runs here its VFs back. */
#pragma once

#include "netprep/plug.h"

/*
 * The one undo of Detach, whoever asks for it: the failed job itself, Release, an expired deadline,
 * a restarted daemon, or a guest that lets a device go too late. It works from the lease's record
 * and from what libvirt says is there, so it may be repeated at any point.
 *
 * Every VF of @detachment, or what replaces it, is in the guest and active in its bond afterwards,
 * and the lease is removed; or, if the guest may still let one go because it was asked to, is kept
 * in state "watching". If something could not be put back: FAULT_ROLLBACK_INCOMPLETE, with the
 * lease in state "degraded".
 * @job may be NULL. Blocks.
 */
gboolean replug_detachment(const NetworkHost *host, Job *job, const Lease *detachment,
                           GError **error);
