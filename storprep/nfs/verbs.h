/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What storprep-nfs can do: one verb a file. Each gets its arguments without its name, checked for
 * their number, and returns the exit status; why it failed goes to standard error. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "storprep/nfs_program.h"

#define NFS_STATUS_FAILED 1

/* SOURCE TARGET OPTIONS: mounts by libmount and mount.nfs, which asks for NFS 4.2 first: without
 * devices and set-user-ID programs whatever OPTIONS say, and not where the system itself lies. */
int verb_mount(char **arguments);
/* TARGET ID: unmounts the NFS mount with this id, if it is the topmost one at TARGET. */
int verb_unmount(char **arguments);
/* PROC TARGET: user, as file_user_find() tells. */
int verb_find_user(char **arguments);

/* ROOT DIRECTORY NAME NONCE, with DIRECTORY within the image directory ROOT: makes the probe file
 * NAME there, looks for it (found, reason), or removes it if it is there. */
int verb_place(char **arguments);
int verb_find(char **arguments);
int verb_drop(char **arguments);
/* ROOT PATH: an ImageIdentity without its path. */
int verb_identify(char **arguments);
/* ROOT PATH: size and SHA-256 of a whole image. */
int verb_digest(char **arguments);
/* PATH: has the server of the file system there answer. */
int verb_answer(char **arguments);
/* UID GID PATHS (a JSON array): files, as file_access_try() tells. */
int verb_access(char **arguments);
/* PATH FORMAT: what image_header_read() tells, or the reason why it does not. */
int verb_header(char **arguments);
/* SERVER PATH NAME UID GID PLACED NONCE: tries the export out without mounting it, with a file NAME
 * of its own that is gone afterwards; PLACED, if not "", is a probe file to look for. */
int verb_probe_export(char **arguments);

/* Does what @arguments say, the verb first (NULL-terminated). Returns the exit status, which is
 * NFS_STATUS_USAGE for what is no verb. */
int verb_run(char **arguments);

/* Prints @reply (stolen) on standard output; returns 0. */
int verb_reply(json_t *reply);
/* Prints why on standard error; returns NFS_STATUS_FAILED. */
int verb_fail(const char *format, ...) G_GNUC_PRINTF(1, 2);
