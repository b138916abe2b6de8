/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts in memory: what is mounted where, who uses it, and which call fails. */
#pragma once

#include "common/fault.h"
#include "fake/hang.h"
#include "storprep/mount_table.h"

typedef struct {
    GMutex lock;
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

/* As the administrator does. */
void fake_mount_table_mount(FakeMountTable *fake, const char *source, const char *target,
                            const char *type);
/* A reboot. */
void fake_mount_table_forget(FakeMountTable *fake);
unsigned fake_mount_table_count(FakeMountTable *fake);
