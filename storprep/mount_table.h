/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The link to this host's mounts: what is mounted where, by whom it is used, mounting and not. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. Host access is the table MountTableOps; mount_table_linux.c has the real
 * one, tests/fake one in memory. Whatever may wait for an NFS server happens in a child process
 * that is killed at its deadline; the table itself is read from mountinfo, which never asks a
 * server. Mounts are made in the mount namespace of storprep-nfs, which must be the host's, or
 * libvirt sees nothing of them; the table is of that namespace. All operations block.
 */
typedef struct MountTable MountTable;

typedef struct {
    guint64 id;         /* of this mount, not given to another one before it is gone */
    char *source;       /* "host1:/srv/images" */
    char *target;       /* mount point */
    char *type;         /* "nfs4"; like its neighbours "" where the kernel says nothing */
    char *options;      /* of the file system: "rw,vers=4.2,..." */
    gboolean read_only; /* as it is mounted here */
} MountEntry;
void mount_entry_free(MountEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MountEntry, mount_entry_free)

typedef struct {
    /* FAULT_SHARE_UNAVAILABLE if mounts made here would be of no use to guests: SELinux keeps them
     * off NFS. */
    gboolean (*check)(void *self, GError **error);
    /* Sets *ret_entry to the topmost mount at @target, or NULL. FAULT_INTERNAL. */
    gboolean (*find)(void *self, const char *target, MountEntry **ret_entry, GError **error);
    /* Whether @host, a name or address, is this host. */
    gboolean (*is_this_host)(void *self, const char *host);
    /* FAULT_PROGRAM_FAILED with what the server or mount(8) said, FAULT_TIMED_OUT,
     * FAULT_SHARE_UNAVAILABLE if nobody else would see the mount: the namespace is private. */
    gboolean (*mount)(void *self, const char *source, const char *target, const char *options,
                      GError **error);
    /* Unmounts @entry, if that is still what is mounted there; never lazily. FAULT_SHARE_BUSY,
     * FAULT_PROGRAM_FAILED, FAULT_TIMED_OUT. */
    gboolean (*unmount)(void *self, const MountEntry *entry, GError **error);
    /* Sets *ret_user to a process with a file below @target open ("process 12 (qemu)"), or NULL. */
    gboolean (*find_user)(void *self, const char *target, char **ret_user, GError **error);
    void (*free)(void *self);
} MountTableOps;

/* Takes @self over (freed by ops->free). */
MountTable *mount_table_new(const MountTableOps *ops, void *self);
/* The real one; @root is "" or, for tests, a directory that stands for "/". */
MountTable *mount_table_new_linux(const char *root);
void mount_table_free(MountTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MountTable, mount_table_free)

/* The operations, as in MountTableOps. Thread-safe as far as @self is. */
gboolean mount_table_check(MountTable *table, GError **error);
gboolean mount_table_find(MountTable *table, const char *target, MountEntry **ret_entry,
                          GError **error);
gboolean mount_table_is_this_host(MountTable *table, const char *host);
gboolean mount_table_mount(MountTable *table, const char *source, const char *target,
                           const char *options, GError **error);
gboolean mount_table_unmount(MountTable *table, const MountEntry *entry, GError **error);
gboolean mount_table_find_user(MountTable *table, const char *target, char **ret_user,
                               GError **error);

/* The word of @options that endangers a guest whose image is there: its writes can fail or are not
 * possible, or its locks are not seen by other hosts. NULL: none does. Static. Pure. */
const char *mount_options_danger(const char *options);
/* Whether it is an NFS mount of @source, a "/" at its end aside. Pure. */
gboolean mount_entry_is_nfs_of(const MountEntry *entry, const char *source);
