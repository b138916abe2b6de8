/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placing, finding and dropping a probe file: done here where the directory is this host's, else by
 * storprep-nfs, which may wait for a server. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* All borrowed. @directory is within the image directory @root. */
typedef struct {
    const char *root, *directory, *name, *nonce;
} Probe;

/*
 * Each returns a new reference: {}, but for find {found, reason}, whatever is wrong with the file.
 * NULL: FAULT_TARGET_REFUSED (the directory cannot be opened), FAULT_NO_SPACE, FAULT_INTERNAL.
 * Block on the file system. A drop of what is not there is none.
 */
json_t *probe_deed_place(const Probe *probe, GError **error);
json_t *probe_deed_find(const Probe *probe, GError **error);
json_t *probe_deed_drop(const Probe *probe, GError **error);
