/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether there is room for the files of a lease, counting what other leases were promised. */
#pragma once

#include "common/lease_store.h"

/*
 * Each file counts with all it may grow to, since the copy may fill it and a file system that is
 * full in the middle of a move stops the guest's writes. Targets of one file system are taken
 * together; what other leases in @leases may still grow by is not free. FAULT_NO_SPACE naming the
 * directory, the bytes needed and the bytes available; FAULT_TARGET_REFUSED. Blocks.
 */
gboolean target_space_check(const Lease *lease, const GPtrArray *leases, GError **error);

/* What is free and promised to none of @leases (target_leases_read()) in each of @directories, in
 * bytes, in their order; those that share a file system share it equally; 0 for one that is not
 * there. Owned by the caller. Blocks. */
guint64 *target_space_list(const char *const *directories, const GPtrArray *leases);
