/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of the interface: what its handlers share, and those that are about shares. Its public
 * face is storage_service.h. */
#pragma once

#include "common/job.h"
#include "storprep/firewall.h"
#include "storprep/migration.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_server.h"
#include "storprep/share_lease.h"
#include "storprep/storage_check.h"
#include "storprep/storage_service.h"
#include "storprep/target_lease.h"

struct StorageService {
    JobRegistry *jobs; /* first: job_method_list() and its like expect it here */
    Hypervisor *hypervisor;
    LeaseStore *store;
    TargetLeases *targets;
    Migrations *migrations;
    char **directories;
    char **networks;
    NfsServer *server;
    MountTable *mounts;
    Firewall *firewall;
    ShareHost share_host;
    ShareLeases *shares;
    StorageChecks *checks;
    ConfigHooks guest_hooks;
    PolicySettings migration;         /* what the configuration says: in general, */
    char *cluster;                    /* NULL: this host is in none */
    PolicySettings cluster_migration; /* and for the cluster */
};

/* The text member @name of @parameters. Borrowed. */
const char *storage_text(json_t *parameters, const char *name);
/* The Lease record of the interface. New reference. */
json_t *storage_pack_lease(const Lease *lease);
/* Ends @call with @lease (taken over) or @error. */
void storage_reply_lease(VarlinkCall *call, Lease *lease, GError *error);
/* For a call on a lease: its generation, and whether it is one of shares. FAULT_INVALID_ARGUMENT,
 * FAULT_LEASE_NOT_FOUND, FAULT_STALE_GENERATION. */
gboolean storage_find_lease(StorageService *service, json_t *parameters, guint64 *ret_generation,
                            gboolean *ret_is_share, GError **error);

/* What all levels but a request say about migrating @guest. FAULT_INVALID_ARGUMENT if its own
 * policy cannot be understood. */
gboolean storage_find_policy(const StorageService *service, const Guest *guest, Policy *ret_policy,
                             GError **error);

/* Handlers; @context is the StorageService. */
void storage_run_describe(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_describe_host(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_stop_guest(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_start_guest(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_list_guests(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_get_policy(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_set_policy(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_export(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_mount(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_unexport(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_unmount(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_commit(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_place_probe(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_find_probe(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_identify_images(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_digest_images(VarlinkCall *call, json_t *parameters, void *context);
void storage_run_probe_export(VarlinkCall *call, json_t *parameters, void *context);
