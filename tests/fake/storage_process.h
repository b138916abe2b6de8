/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A storprepd on a fake host, which may die at any point of its work. */
#pragma once

#include "fake/faulty_disk.h"
#include "fake/share_fixture.h"
#include "storprep/target_lease.h"

/*
 * As fake/daemon_process.h has it for netprepd. What it does to the host passes the injector: its
 * database by the faulty disk, all else by faulty_calls. Files are real.
 */
typedef struct {
    ShareFixture host; /* the fakes, the store, and the leases of shares */
    char *sockets;
    TargetLeases *targets;
    Injector *injector;
    FaultyDisk *disk;
    GRand *random; /* what a power cut leaves */
} StorageProcess;

StorageProcess *storage_process_new(void);
void storage_process_free(StorageProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StorageProcess, storage_process_free)

/* Kills the daemon, dead or alive, and starts a new one, which @what strikes at its @point-th
 * point. */
void storage_process_restart(StorageProcess *process, Injection what, unsigned point);
/* Has it look at all its leases, until nothing changes any more; a daemon that died is replaced. */
void storage_process_settle(StorageProcess *process);
/* All deadlines pass, and what was committed is given back. */
void storage_process_expire(StorageProcess *process);
