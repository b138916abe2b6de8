/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the list of what does not go together in one migration. */
#include "common/fault.h"
#include "storprep/migration_plan.h"

typedef struct {
    gboolean (*holds)(const MigrationPlan *plan);
    const char *options, *cause, *remedy;
} Conflict;

static gboolean
copies(const MigrationPlan *plan)
{
    return plan->copy_disks[0] != NULL;
}

static gboolean
is_parallel(const MigrationPlan *plan)
{
    return plan->policy.values[POLICY_PARALLEL] > 1;
}

static gboolean
compresses(const MigrationPlan *plan, Compression method)
{
    return plan->mode != MIGRATION_OFFLINE && plan->policy.values[POLICY_COMPRESSION] == method;
}

/* On the spot, not by a policy that was made for live moves. */
static gboolean
asks_for_action(const MigrationPlan *plan)
{
    return plan->policy.levels[POLICY_ON_TIMEOUT] == POLICY_LEVEL_REQUEST &&
           plan->policy.values[POLICY_ON_TIMEOUT] != TIMEOUT_CONTINUE;
}

static gboolean
tunnelled_copy(const MigrationPlan *plan)
{
    return plan->tunnelled && copies(plan);
}

static gboolean
tunnelled_tls(const MigrationPlan *plan)
{
    return plan->tunnelled && plan->policy.values[POLICY_TLS];
}

static gboolean
tunnelled_parallel(const MigrationPlan *plan)
{
    return plan->tunnelled && is_parallel(plan);
}

static gboolean
tunnelled_post_copy(const MigrationPlan *plan)
{
    return plan->tunnelled && migration_plan_wants_post_copy(plan);
}

static gboolean
tunnelled_zstd(const MigrationPlan *plan)
{
    return plan->tunnelled && compresses(plan, COMPRESSION_ZSTD);
}

static gboolean
tunnelled_offline(const MigrationPlan *plan)
{
    return plan->tunnelled && plan->mode == MIGRATION_OFFLINE;
}

static gboolean
post_copy_parallel(const MigrationPlan *plan)
{
    return migration_plan_wants_post_copy(plan) && is_parallel(plan);
}

static gboolean
post_copy_zstd(const MigrationPlan *plan)
{
    return migration_plan_wants_post_copy(plan) && compresses(plan, COMPRESSION_ZSTD);
}

static gboolean
xbzrle_parallel(const MigrationPlan *plan)
{
    return compresses(plan, COMPRESSION_XBZRLE) && is_parallel(plan);
}

static gboolean
action_not_live(const MigrationPlan *plan)
{
    return plan->mode != MIGRATION_LIVE && asks_for_action(plan);
}

static gboolean
action_without_timeout(const MigrationPlan *plan)
{
    return plan->mode == MIGRATION_LIVE &&
           plan->policy.values[POLICY_ON_TIMEOUT] != TIMEOUT_CONTINUE &&
           !plan->policy.values[POLICY_TIMEOUT];
}

static gboolean
timeout_without_action(const MigrationPlan *plan)
{
    return plan->policy.levels[POLICY_TIMEOUT] == POLICY_LEVEL_REQUEST &&
           plan->policy.values[POLICY_TIMEOUT] &&
           plan->policy.values[POLICY_ON_TIMEOUT] == TIMEOUT_CONTINUE;
}

static gboolean
offline_not_persistent(const MigrationPlan *plan)
{
    return plan->mode == MIGRATION_OFFLINE && !plan->persist;
}

static gboolean
incremental_without_copy(const MigrationPlan *plan)
{
    return plan->incremental && !copies(plan);
}

static gboolean
incremental_offline(const MigrationPlan *plan)
{
    return plan->incremental && plan->mode == MIGRATION_OFFLINE;
}

static gboolean
undefined_everywhere(const MigrationPlan *plan)
{
    return plan->undefine_source && !plan->persist;
}

static gboolean
persistent_xml_not_persistent(const MigrationPlan *plan)
{
    return plan->persistent_xml && !plan->persist;
}

static gboolean
removes_what_is_not_copied(const MigrationPlan *plan)
{
    gboolean by_whom = plan->mode != MIGRATION_OFFLINE || plan->sent_disks;

    return plan->remove_source_disks && !(copies(plan) && by_whom);
}

/* Of a guest that is defined here and is to stay so. */
static gboolean
removes_what_stays_defined(const MigrationPlan *plan)
{
    return plan->remove_source_disks && plan->persist && !plan->undefine_source;
}

static const Conflict conflicts[] = {
    { tunnelled_offline, "tunnelled and offline", "there is no memory to send through a tunnel",
      "leave out tunnelled" },
    { tunnelled_copy, "tunnelled and copyDisks",
      "QEMU copies disks over a connection of its own, which libvirt does not tunnel",
      "leave out tunnelled, and use tls to encrypt both; or put the disks on shared storage" },
    { tunnelled_tls, "tunnelled and tls",
      "QEMU's own encryption needs a connection of its own; the tunnel is encrypted by libvirt",
      "leave out one of them" },
    { tunnelled_parallel, "tunnelled and parallelConnections", "a tunnel is one connection",
      "leave out one of them" },
    { tunnelled_post_copy, "tunnelled and onTimeout postcopy",
      "the destination cannot ask for memory through a tunnel",
      "leave out tunnelled, or choose another onTimeout" },
    { tunnelled_zstd, "tunnelled and compression zstd",
      "QEMU compresses so only on parallel connections, and a tunnel is one connection",
      "leave out tunnelled, or choose compression xbzrle or none" },
    { post_copy_parallel, "onTimeout postcopy and parallelConnections",
      "QEMU before 10.1 cannot fetch missing memory over parallel connections",
      "set parallelConnections to 1, or choose another onTimeout" },
    { post_copy_zstd, "onTimeout postcopy and compression zstd",
      "QEMU compresses so only on parallel connections, which do not go with post-copy",
      "choose compression xbzrle or none, or another onTimeout" },
    { xbzrle_parallel, "compression xbzrle and parallelConnections",
      "QEMU knows what a page was before on one connection only",
      "choose compression zstd, or set parallelConnections to 1" },
    { action_not_live, "onTimeout and a mode that is not live",
      "a guest that stands still changes no memory, so its migration needs no such help",
      "leave out onTimeout" },
    { action_without_timeout, "onTimeout without timeoutSeconds", "it would never be done",
      "set timeoutSeconds, or onTimeout to continue" },
    { timeout_without_action, "timeoutSeconds without onTimeout",
      "nothing says what is to be done then", "set onTimeout to abort, suspend or postcopy" },
    { offline_not_persistent, "offline and not persistent",
      "the definition is all that there is to move", "make it persistent on the destination" },
    { incremental_offline, "incremental and offline", "the backing chain would have to be compared",
      "leave out incremental: whole images are copied" },
    { incremental_without_copy, "incremental without copyDisks", "there is nothing to copy",
      "name the disks, or leave out incremental" },
    { removes_what_is_not_copied, "removeSourceDisks without copyDisks",
      "only images that were copied are removed", "leave out removeSourceDisks" },
    { removes_what_stays_defined, "removeSourceDisks without undefineSource",
      "the guest's definition here would be without its disks", "leave out one of them" },
    { undefined_everywhere, "undefineSource without persistent",
      "no host would have the guest's definition any more",
      "make it persistent on the destination, or keep the definition here" },
    { persistent_xml_not_persistent, "persistentXml without persistent",
      "the guest would have no configuration there that it could be", "leave out one of them" },
};

gboolean
migration_conflict_check(const MigrationPlan *plan, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(conflicts); i++) {
        const Conflict *conflict = &conflicts[i];

        if (!conflict->holds(plan))
            continue;
        fault_set(error, FAULT_INVALID_ARGUMENT, conflict->options, conflict->remedy, "%s",
                  conflict->cause);
        return FALSE;
    }
    return TRUE;
}
