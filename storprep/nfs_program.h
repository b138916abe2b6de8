/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs storprep-nfs, which does everything that may wait for an NFS server, so that it can be
 * killed. */
#pragma once

#include <jansson.h>

#include "common/program.h"

/* Exit statuses of storprep-nfs besides 0 and 1 (failed; standard error says why). */
#define NFS_STATUS_USAGE   2
#define NFS_STATUS_BUSY    3 /* somebody uses the mount */
#define NFS_STATUS_FOREIGN 4 /* something else is mounted or found there */
#define NFS_STATUS_PRIVATE 5 /* nobody else would see what is mounted here */

/* What takes rights that a confined storprepd has not. Where this variable of the environment names
 * the socket of storprepd-nfs.service, these verbs run there. */
#define NFS_PRIVILEGED_VERBS "access", "find-user", "mount", "probe-export", "unmount"
#define NFS_SOCKET_VARIABLE  "STORPREP_NFS_SOCKET"

/* Whose mounts storprep-nfs makes and sees, as a name below /proc: "1", this host's, if the service
 * is asked, else "self". Static. */
const char *nfs_program_process(void);

/*
 * Runs the program, which lies beside this one, with @arguments (verb first). Blocks at most
 * @seconds. Sets *ret_status, and *ret_reply to the object on its standard output ({} if none; new
 * reference) for every status but failures: those are FAULT_PROGRAM_FAILED naming @object, with
 * what it said on standard error. FAULT_TIMED_OUT naming @object: then it was killed.
 */
gboolean nfs_program_run(const char *const *arguments, unsigned seconds, const char *object,
                         int *ret_status, json_t **ret_reply, GError **error);

/* A run that takes its time: each object on its standard output but the last, which is the reply,
 * tells how far it is. */
typedef struct {
    const char *const *arguments;
    unsigned seconds;
    GCancellable *cancellable; /* may be NULL */
    const char *object;
    void (*told)(const json_t *progress, void *data); /* may be NULL */
    void *data;
} NfsProgramTask;

/* The same for that, ended early by the cancellable: FAULT_CANCELLED. */
gboolean nfs_program_perform(const NfsProgramTask *task, int *ret_status, json_t **ret_reply,
                             GError **error);
