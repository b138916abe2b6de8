/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest is to be on the destination: given by the caller, or changed from what it is. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"
#include "storprep/migration_plan.h"

/* Pure. FAULT_INVALID_ARGUMENT naming @member unless @xml is a domain with the name and UUID of
 * @guest: another one would be another guest. What may differ besides, libvirt compares itself,
 * before it touches anything (virDomainDefCheckABIStability()). */
gboolean destination_xml_check(const char *member, const char *xml, const Guest *guest,
                               GError **error);

/* The changes that Migrate is asked for, as its parameters have them. Borrowed; NULL: none. */
typedef struct {
    const json_t *disk_paths; /* of DiskPath */
    const json_t *networks;   /* of NetworkChange */
} DestinationChange;

/*
 * Pure. @xml with the disks at other paths and the vNICs in other networks or on other bridges.
 * What libvirt knows of the old ones only (backing chains, ports) is left out. With @all,
 * FAULT_INVALID_ARGUMENT naming the first disk or network that @xml does not have; a disk that is
 * no file is refused so in any case. FAULT_HYPERVISOR_FAILED if it is no domain. Owned by the
 * caller.
 */
char *destination_xml_change(const char *xml, const DestinationChange *change, gboolean all,
                             GError **error);

/*
 * Sets the definitions of @plan to those of its guest with @change. FAULT_INVALID_ARGUMENT as
 * above, or if the plan has definitions of the caller's, or a disk is not copied that is to have
 * another path; the errors of hypervisor_get_definition(). Blocks.
 */
gboolean destination_xml_plan(MigrationPlan *plan, Hypervisor *hypervisor,
                              const DestinationChange *change, GError **error);
