/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One of two fake hosts between which a guest moves: its hardware, its libvirt and its netprepd. */
#pragma once

#include "fake/daemon_process.h"
#include "fake/fake_guest.h"
#include "fake/faulty_disk.h"

#define WORLD_UUID      "7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a55"
#define WORLD_CARDS     2
#define WORLD_FUNCTIONS 6                   /* the first four on the first card */
#define WORLD_VNICS     2                   /* that a guest has at the most */
#define WORLD_MAC       "52:54:00:aa:00:01" /* of the guest's VirtIO vNIC and bond */
#define WORLD_MAC_2     "52:54:00:aa:00:02" /* of its second ones */

/* PFs npf0, below bridge br0, and npf1 with VFs on physical network "blue". */
typedef struct {
    char *name;               /* "source" */
    char *cards[WORLD_CARDS]; /* PCI addresses of the PFs */
    char *functions[WORLD_FUNCTIONS + 1];
    char *sysfs;
    char *database;     /* of leases; outlives a daemon */
    Injector *injector; /* of the daemon at work */
    FaultyDisk *disk;   /* of the database */
    GRand *random;      /* what a power cut leaves */
    Injection next;     /* for the daemon after it, at its point @next_point; nothing else */
    unsigned next_point;
    Config config;
    FakeHypervisor *hypervisor;
    FakeFunctionControl *control;
    FakeBridgeFdb *fdb;
    FakeGuest *guest;          /* borrowed: the one that moves */
    DaemonProcess *daemon;     /* NULL: the host is down */
    gboolean cut_off;          /* the coordinator and the other libvirt do not reach it */
    gint plugged[WORLD_VNICS]; /* indices of the VFs that the guest has here; -1: none. Atomic. */
    gint bridged;              /* index of the VF that the host itself uses; -1: none */
    gint stolen;       /* index of the VF that somebody took, if only for a while; -1: none */
    unsigned shrunk;   /* cards whose sriov_numvfs is 0: VFs vanish as soon as no guest has
                          them */
    unsigned cut;      /* cards without a link */
    gint seized;       /* libvirt was told to take the bridged VF away. Atomic. */
    gboolean seizable; /* which may be */
} MigrationHost;

/* @bus tells the addresses of two hosts apart; @directory is where the lease database goes. */
MigrationHost *migration_host_new(const char *name, unsigned bus, const char *directory,
                                  FakeGuest *guest);
void migration_host_free(MigrationHost *host);

/* Replaces a daemon that is dead; one that lives, or a host that is down, is left alone. */
void migration_host_revive(MigrationHost *host);
/* Kills the daemon, dead or alive, and replaces it. */
void migration_host_restart(MigrationHost *host);
/* Power fails: no daemon and no guest is left. */
void migration_host_crash(MigrationHost *host);
/* Power is back: leases are of an earlier boot, cards as new, the guest shut off as it was. */
void migration_host_boot(MigrationHost *host);
/* Passes the deadlines of all leases. */
void migration_host_expire(MigrationHost *host);

/* The guest as libvirt has it here; NULL: it does not know it. */
Guest *migration_host_guest(const MigrationHost *host);
gboolean migration_host_runs_guest(const MigrationHost *host);
/* All leases; to be freed. */
GPtrArray *migration_host_leases(const MigrationHost *host);

/* The guest lets its VF go, if it has one. */
void migration_host_remove_function(MigrationHost *host);
/* Another guest, or a bridge of the host, takes VF @index, unless it is in a guest. */
void migration_host_steal(MigrationHost *host, unsigned index, gboolean by_guest);
void migration_host_return_stolen(MigrationHost *host);
/* The first @cards cards have no link. */
void migration_host_cut(MigrationHost *host, unsigned cards);
/* Of the first @cards cards sriov_numvfs becomes 0; of all what it was before, with VFs as new at
 * the same addresses. */
void migration_host_shrink(MigrationHost *host, unsigned cards);
void migration_host_grow(MigrationHost *host);
/* Whether VF @index is where it was, with a link, and nobody but the guest has it. */
gboolean migration_host_is_sound(const MigrationHost *host, gint index);
