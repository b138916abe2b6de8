/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Check of io.migprep.Storage: what this host's libvirt and storage say about a move. */
#pragma once

#include "common/check_method.h"
#include "common/check_run.h"
#include "common/hypervisor.h"
#include "common/lease_store.h"
#include "common/varlink_server.h"
#include "storprep/file_access.h"
#include "storprep/reach.h"
#include "storprep/storage_pulse.h"

/* What the checks look at; all borrowed but the runner and the pulse. */
typedef struct {
    CheckRunner *runner;
    StoragePulse *pulse;
    Hypervisor *hypervisor;
    LeaseStore *store;
    const char *const *directories; /* where images may be created */
    const char *root;               /* "" or, for tests, a directory that stands for "/" */
    const char *mount_info;         /* NULL: this process's own */
    const char *cluster;            /* that the host is in; NULL: none */
    const char *host_name;          /* as the host calls itself */
    const char *firewall_program;   /* firewall-cmd, or what stands for it */
    const char *tpm_program;        /* swtpm, likewise */
    const ReachOps *reach;
    gboolean (*log_in)(const char *host, GError **error);
    char *(*read_label)(const char *path); /* of SELinux; NULL: it has none */
    json_t *(*try_access)(json_t *paths, uid_t uid, gid_t gid, GError **error);
} StorageChecks;

/* All that @checks borrows must outlive it. */
StorageChecks *storage_checks_new(Hypervisor *hypervisor, LeaseStore *store,
                                  const char *const *directories);
/* Waits a few seconds for checks that still run. FALSE: some hang, on storage that does not answer;
 * what they borrow must not be freed, and @checks is not either. */
gboolean storage_checks_free(StorageChecks *checks);

/* The checks of one role. They change nothing and block for CHECK_TIMEOUT_MSEC at most. @facts: see
 * guest_facts.h. */
CheckReport *storage_check_source(const StorageChecks *checks, const char *guest);
CheckReport *storage_check_destination(const StorageChecks *checks, const json_t *facts,
                                       GError **error);
CheckReport *storage_check_host(const StorageChecks *checks);
CheckReport *storage_check_passage(const StorageChecks *checks, const CheckPassage *passage,
                                   GError **error);

/* Checks nothing: its facts are what role passage needs to know of this host. */
CheckReport *storage_check_address(const StorageChecks *checks);

/* Answers a call of Check. */
void storage_check_serve(const StorageChecks *checks, VarlinkCall *call, const json_t *parameters);
