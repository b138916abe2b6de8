/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /etc/migprep/migprep.conf: a key file; every value has a default, so the file may be absent. */
#pragma once

#include <glib.h>

#include "common/policy.h"

#define CONFIG_PATH "/etc/migprep/migprep.conf"

/* [physical-network NAME]: what libvirt does not say about it, or what is to count instead. */
typedef struct {
    char **functions; /* functions=pf0;0000:05:00.0: network devices or PCI addresses of PFs; NULL:
                         as libvirt's network of that name */
    char *bridge;     /* bridge=br0: where VirtIO vNICs reach it; NULL: the one that has a PF */
} ConfigNetwork;

/* Programs of the administrator, on this host or in its guests. */
typedef struct {
    unsigned seconds;        /* each may take so long */
    gboolean ignore_failure; /* one that fails is written to the journal, else it stops the rest */
} ConfigHooks;

typedef struct {
    char *group;                   /* [access] group=migprep: may call the daemons besides root */
    char *monitor_group;           /* [access] monitor-group=migprep-monitor: may look only */
    char **image_directories;      /* [storage] image-directories=/var/lib/libvirt/images;... */
    char **export_networks;        /* [storage] export-networks=10.98.0.0/24: besides hosts */
    GHashTable *physical_networks; /* name -> ConfigNetwork *; NULL: none is described */
    unsigned unplug_seconds;       /* [network] unplug-seconds=30: patience with a guest, 1-600 */
    unsigned attach_seconds;       /* [network] attach-seconds=60: plug to bond active, 1-600 */
    unsigned agent_seconds;        /* [network] agent-seconds=10: one guest agent command, 1-600 */
    unsigned return_seconds;       /* [libvirt] return-seconds=10: wait for a lost one, 1-600 */
    gboolean native_migration;     /* [network] native-migration=no: NICs and firmware of all hosts
                                      are alike, so that VFIO drivers may move the state of VFs */
    PolicySettings migration;      /* [migration] max-downtime=300 and so on: see policy.h */
    unsigned migrations_at_once;   /* [migration] at-once=4: more than these wait, 1-64 */
    char *cluster;                 /* [migration] cluster=NAME: this host's; NULL: none */
    ConfigHooks host_hooks;        /* [hooks] host-seconds=300 host-failure=abort|ignore: see
                                      common/cli/host_hooks.h */
    ConfigHooks guest_hooks;       /* [hooks] guest-seconds=30 guest-failure=abort|ignore: see
                                      netprep/guest_hooks.h */
    GHashTable *clusters;          /* [cluster NAME]: name -> PolicySettings * */
    char **drain_to;               /* [drain] to=host2 host3: where its guests go; NULL */
    unsigned drain_at_once;        /* [drain] at-once=2: moves that leave it at once, 1-64 */
    unsigned drain_at_once_in;     /* [drain] at-once-in=2: that come to a host at once, 1-64 */
    unsigned drain_overcommit;     /* [drain] processor-overcommit=4: guests' processors for each
                                      of a host's, 1-64 */
    unsigned drain_shutdown_seconds; /* [drain] shutdown-seconds=180: for a guest that is asked to
                                        shut down, 1-600 */
} Config;

/* Missing file: defaults. FAULT_INVALID_ARGUMENT naming file, group and key for anything else:
 * unknown groups and keys are mistakes. */
Config *config_load(const char *path, GError **error);
void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* The physical network called @name, which is made if need be. Borrowed. */
ConfigNetwork *config_network(Config *config, const char *name);

/* What is set for the cluster of this host, which may be nothing; NULL: it belongs to none.
 * Borrowed. */
const PolicySettings *config_cluster(const Config *config);
