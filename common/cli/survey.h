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
    json_t *left;  /* its LocalState objects that the move does not take along */
    json_t *hooks; /* names of the phases that the guest has hooks of; NULL: not told */
} Survey;

void survey_free(Survey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Survey, survey_free)

typedef struct {
    const char *guest;            /* name or UUID */
    gboolean offline;             /* it is to be moved while it is shut off */
    gboolean bond_may_be_missing; /* it will be made */
} SurveyQuestion;

/*
 * Asks the source's daemons about a guest and refuses what cannot work: not running (or running, if
 * it is to be moved offline), being migrated, a silent agent where its vNICs need one, a
 * passthrough vNIC without a bond, a disk that cannot move even if shared. Changes nothing.
 */
Survey *survey_source(Peer *source, const SurveyQuestion *question, GCancellable *cancellable,
                      GError **error);

/* Asks the daemons that the move needs on @destination; FAULT_GUEST_BUSY if the guest is active
 * there already. Changes nothing. */
gboolean survey_destination(Peer *destination, const Survey *survey, GCancellable *cancellable,
                            GError **error);

/* FAULT_DISK_UNSUPPORTED for a disk that cannot move. What is shared need not: as long as that is
 * not @proven, disks that might be are passed over. */
gboolean survey_check_disks(const Survey *survey, gboolean proven, GError **error);

/* Makes @chosen (NULL: all) the disks to be copied. FAULT_INVALID_ARGUMENT if the guest has no such
 * disk, FAULT_DISK_UNSUPPORTED if it is shared or need not be copied, or if one that must be is not
 * chosen (unless @unsafe: then it stays behind). */
gboolean survey_choose_disks(Survey *survey, const char *const *chosen, gboolean unsafe,
                             GError **error);

/* Gives the disks to be copied the paths that they have in @xml, the guest as it is to be on the
 * destination: targets are made there. FAULT_HYPERVISOR_FAILED if it is no domain. */
gboolean survey_follow_xml(Survey *survey, const char *xml, GError **error);

/* For the DiskPath records @paths of Storage.Migrate (NULL: none): these disks are copied to other
 * paths, so that nobody need ask whether they are shared. FAULT_INVALID_ARGUMENT if the guest has
 * no such disk, FAULT_DISK_UNSUPPORTED if it cannot be copied. */
gboolean survey_place_disks(Survey *survey, const json_t *paths, GError **error);
/* Gives @disks (Disk records) the paths that @paths has for them. */
void survey_rename_disks(json_t *disks, const json_t *paths);

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
