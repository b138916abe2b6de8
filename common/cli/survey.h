/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both hosts say about a move before anything is changed. */
#pragma once

#include "common/cli/peer.h"

typedef struct {
    json_t *guest;    /* {name, uuid} */
    const char *name; /* borrowed from guest, like uuid */
    const char *uuid;
    json_t *vnics; /* Network's Vnic objects */
    json_t *bonds;
    json_t *disks; /* Storage's Disk objects */
} Survey;

void survey_free(Survey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Survey, survey_free)

/*
 * Asks the source's daemons about @guest (name or UUID) and refuses what cannot work: not running,
 * being migrated, a silent agent where its vNICs need one, a passthrough vNIC without a bond
 * (unless @bond_may_be_missing), a disk that cannot move even if shared. Changes nothing.
 */
Survey *survey_source(Peer *source, const char *guest, gboolean bond_may_be_missing,
                      GCancellable *cancellable, GError **error);

/* Asks the daemons that the move needs on @destination; FAULT_GUEST_BUSY if the guest is active
 * there already. Changes nothing. */
gboolean survey_destination(Peer *destination, const Survey *survey, GCancellable *cancellable,
                            GError **error);

/* FAULT_DISK_UNSUPPORTED for a disk that cannot move. What is shared need not: as long as that is
 * not @proven, disks that might be are passed over. */
gboolean survey_check_disks(const Survey *survey, gboolean proven, GError **error);

/* Whether a passthrough vNIC is in no bond, and whether the guest has any such vNIC. */
gboolean survey_lacks_bond(const Survey *survey);
gboolean survey_has_vnics(const Survey *survey);
/* Disk targets ("vda") to copy: new reference to an array. */
json_t *survey_copied_disks(const Survey *survey);
/* Disk targets that both hosts share, likewise. */
json_t *survey_shared_disks(const Survey *survey);
/* Target objects for CreateTargets, equal to the disks to copy: new reference. */
json_t *survey_targets(const Survey *survey);
/* The port that the guest's bond uses among @bonds: "eth0", or NULL if there is none. Borrowed. */
const char *survey_active_port(const Survey *survey, const json_t *bonds);
