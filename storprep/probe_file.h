/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small file that one host places in a directory and another one finds there: then both see the
 * same directory. */
#pragma once

#include "storprep/share_request.h"

/*
 * For the parameters of io.migprep.Storage.PlaceProbe, which passed the interface's check: one
 * asset, about the file. FAULT_INVALID_ARGUMENT, FAULT_TARGET_REFUSED (the directory is not within
 * the image directories).
 */
ShareRequest *probe_file_request_new(json_t *parameters, const ShareHost *host, GError **error);

/* The name and the content of the file. Borrowed from @lease. */
const char *probe_file_name(const Lease *lease);
const char *probe_file_nonce(const Lease *lease);

/*
 * Looks for a probe file. Returns {found, reason} for FindProbe, whatever is wrong with the file,
 * or NULL: FAULT_INVALID_ARGUMENT (no name of a probe file), FAULT_TARGET_REFUSED, FAULT_TIMED_OUT
 * (the directory's NFS server does not answer), FAULT_PROGRAM_FAILED. Blocks at most PROBE_SECONDS.
 */
#define PROBE_SECONDS 10
json_t *probe_file_find(const char *directory, const char *name, const char *nonce,
                        const char *const *directories, GError **error);
/* Whether @name is one that probe_file_request_new() makes. Pure. */
gboolean probe_file_is_name(const char *name);
/* A new such name. Owned. */
char *probe_file_name_new(void);
