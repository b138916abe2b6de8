/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts in memory: what is mounted where, who uses it, and which call fails. */
#pragma once

#include "common/fault.h"
#include "fake/hang.h"
#include "storprep/mount_table.h"

/* A daemon's threads ask it while a test changes it, by the functions below. */
typedef struct {
    GMutex lock;        /* guards the rest */
    GPtrArray *entries; /* of MountEntry *, the topmost last */
    guint64 next_id;
    const char *user;      /* a process with files open; NULL: none */
    const char *this_host; /* the name that is this host */
    const char *fail;      /* "check" | "mount" | "unmount": fails from now on */
    FaultCode code;        /* how */
    unsigned mounted;      /* calls of mount() that worked */
    Hang *hang;            /* where mount() waits for a server; NULL: none is waited for */
} FakeMountTable;

FakeMountTable *fake_mount_table_new(void);
/* The link to it, which borrows @fake. */
MountTable *fake_mount_table_get(FakeMountTable *fake);
void fake_mount_table_free(FakeMountTable *fake);

/* @call fails from now on, as @code; NULL: none does. The text is borrowed, as those below. */
void fake_mount_table_fail(FakeMountTable *fake, const char *call, FaultCode code);
void fake_mount_table_set_user(FakeMountTable *fake, const char *user);
void fake_mount_table_set_this_host(FakeMountTable *fake, const char *name);
void fake_mount_table_set_hang(FakeMountTable *fake, Hang *hang);

/* As the administrator does. */
void fake_mount_table_mount(FakeMountTable *fake, const char *source, const char *target,
                            const char *type);
void fake_mount_table_mount_with(FakeMountTable *fake, const char *source, const char *target,
                                 const char *type, const char *options);
/* A reboot. */
void fake_mount_table_forget(FakeMountTable *fake);
unsigned fake_mount_table_count(FakeMountTable *fake);
/* How often it has mounted something. */
unsigned fake_mount_table_mounted(FakeMountTable *fake);
