/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hosts with image directories, between which libvirt moves a guest and its disk. */
#pragma once

#include "fake/fake_hypervisor.h"
#include "storprep/migration.h"
#include "storprep/target_lease.h"

#define STORAGE_WORLD_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

/* One host: its storprepd, its libvirt, its files. */
typedef struct {
    char *images;   /* directory, which an NFS server has */
    char *root;     /* where it is told what is mounted */
    char *database; /* of leases */
    char *disk;     /* where the guest's image is, or is to be */
    char *foreign;  /* somebody else's file beside it */
    FakeHypervisor *fake;
    Hypervisor *hypervisor;
    LeaseStore *store; /* NULL: storprepd is dead */
    TargetLeases *leases;
} StorageHost;

typedef enum {
    STAGE_PREPARING,  /* the target is to be made */
    STAGE_COPYING,    /* half of the disk is copied */
    STAGE_SWITCHING,  /* all is copied, the guest stands still */
    STAGE_COMMITTING, /* the migration is over, the target's lease is not */
    STAGES,
} StorageStage;

typedef struct {
    char *directory;
    StorageHost source, destination;
    JobRegistry *jobs;
    Migrations *migrations;
    Job *job;             /* NULL: not begun */
    Lease *lease;         /* of the target, as the coordinator knows it; NULL: none */
    guint64 target_size;  /* that the coordinator asks for */
    gboolean cancelled;   /* the coordinator takes no further step */
    gboolean cut_off;     /* neither coordinator nor libvirt reach the destination */
    gboolean answer_lost; /* of the destination's storprepd, which dies once the target is made */
    int guest_fd;         /* QEMU's on the destination; -1: none */
    uid_t qemu_user;      /* that it opens files as */
    gboolean denied;      /* QEMU was */
    int touches_fd;       /* who touches the images of a server that is gone; -1: it is there */
    GMutex lock;          /* guards everything below */
    GCond changed;
    StorageStage reached;  /* by libvirt */
    StorageStage allowed;  /* where libvirt has to wait */
    gboolean broken;       /* what libvirt does from now on fails */
    gboolean begun, ended; /* libvirt's call */
} StorageWorld;

StorageWorld *storage_world_new(void);
void storage_world_free(StorageWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StorageWorld, storage_world_free)

/* What a coordinator and libvirt do up to @stage; less, if it ends before. */
void storage_world_go(StorageWorld *world, StorageStage stage);
/* The rest of it; undone if it failed. Daemons that are dead are replaced. */
void storage_world_finish(StorageWorld *world);
/* Deadlines pass, until the destination's storprepd has found its rest. */
void storage_world_settle(StorageWorld *world);
/* The coordinator changes its mind; libvirt has been told when this returns. */
void storage_world_cancel(StorageWorld *world);
/* libvirt fails from now on. */
void storage_world_break(StorageWorld *world);
/* The destination's NFS server is gone, and whoever touches its files hangs: libvirt, which gives
 * up. storprepd must not. Then it is back. */
void storage_world_stop_server(StorageWorld *world);
void storage_world_start_server(StorageWorld *world);
/* QEMU may not open what it has not opened yet. Takes root. */
void storage_world_deny_qemu(StorageWorld *world);
/* Kills the destination's storprepd. */
void storage_world_kill(StorageWorld *world);

gboolean storage_host_runs_guest(const StorageHost *host);
/* What must hold at the end: one host runs the guest, with its data; the destination has nothing of
 * ours but the guest's; nothing foreign has changed. */
void storage_world_check(const StorageWorld *world);
