/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be done in a migration, checked against the guest before libvirt is asked. */
#pragma once

#include <jansson.h>

#include "common/hypervisor.h"
#include "common/policy.h"

typedef struct {
    char *guest_name;
    char *guest_uuid;
    char *destination_uri;
    MigrationMode mode;
    char **copy_disks;   /* targets; empty: none. Offline: the caller copied them. */
    char **copy_paths;   /* of copy_disks, in their order */
    char **shared_disks; /* targets that both hosts have in common; empty: none */
    gboolean incremental;
    char *destination_xml; /* NULL: unchanged */
    char *persistent_xml;  /* NULL: unchanged */
    Policy policy;
    unsigned parallel_connections; /* 0: none besides the usual one */
    gboolean persist;              /* define it on the destination */
    gboolean undefine_source;
    gboolean tunnelled;
    gboolean unsafe;
    gboolean proven_safe; /* unsafe, as libvirt cannot see what was proven: nobody asked for it */
    gboolean remove_source_disks; /* that were copied, once the guest has left */
    json_t *sent_disks;           /* offline: what SendDisks told of them; NULL: nothing */
} MigrationPlan;

void migration_plan_free(MigrationPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MigrationPlan, migration_plan_free)

/* Pure. FAULT_INVALID_ARGUMENT unless @uri is qemu+ssh, qemu+tls or qemu+tcp://HOST/system. Options
 * are refused: in libvirt's URIs they name programs and keys, which root would run and read. */
gboolean migration_check_uri(const char *uri, GError **error);

/*
 * The plan for the parameters of io.migprep.Storage.Migrate, which passed the interface's check;
 * @standing is what all levels but the request say. FAULT_INVALID_ARGUMENT, FAULT_LIMIT_EXCEEDED,
 * FAULT_GUEST_NOT_RUNNING, FAULT_GUEST_BUSY (libvirt has a job on it, or it runs and is to be moved
 * offline), FAULT_DISK_UNSUPPORTED (a disk cannot be moved, or not be copied), and those of
 * migration_conflict_check(). Blocks on the disks' images.
 */
MigrationPlan *migration_plan_new(json_t *parameters, const Guest *guest, const Policy *standing,
                                  Hypervisor *hypervisor, GError **error);

/*
 * Whether disks that were sent are still what the guest has, to be asked right before its
 * definition goes: a plan may wait long for its turn, and the guest may have run meanwhile.
 * FAULT_GUEST_BUSY, FAULT_IMAGE_INVALID, FAULT_HYPERVISOR_UNAVAILABLE. Blocks.
 */
gboolean migration_plan_confirm_sent(const MigrationPlan *plan, Hypervisor *hypervisor,
                                     GError **error);

/* Pure: whether the guest shall go on at the destination once its timeout has passed. */
gboolean migration_plan_wants_post_copy(const MigrationPlan *plan);
/* Pure: sets parallel_connections, for a way to the destination of @link_megabits per second (0:
 * unknown). One connection is what a core can fill: some 10 Gbit/s. */
void migration_plan_choose_connections(MigrationPlan *plan, unsigned link_megabits);

/* Pure. FAULT_INVALID_ARGUMENT naming the first options of @plan that do not go together, why, and
 * what to leave out. The rules are those of libvirt's qemuMigrationSrcBeginPhase() and
 * qemuMigrationParamsSetCompression() and of QEMU's migrate_caps_check(), which would find out
 * after targets were made and virtual functions unplugged. */
gboolean migration_conflict_check(const MigrationPlan *plan, GError **error);
